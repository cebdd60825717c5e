# The checks of `nix flake check`: in the sandbox, without a network. bge-m3's images are not among them, because they need 2.3 GB.
{ lib, scope }:
let
  inherit (scope) callPackage;
in
{
  inherit (scope) server model-minilm model-minilm-int8;
  format = callPackage ./format.nix { };
  lints = callPackage ./lints.nix { };
  tests = callPackage ./tests.nix { };
  openapi = callPackage ./openapi.nix { };
  golden = scope.golden.override { model = scope.model-minilm-int8; };
  served = callPackage ./served.nix { };
}
// lib.optionalAttrs scope.isLinux {
  inherit (scope) image-minilm;
}
