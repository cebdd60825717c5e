# The checks of `nix flake check`: in the sandbox, without a network. bge-m3's images are not among them, because they need 2.3 GB.
{ lib, scope }:
let
  inherit (scope) callPackage;
  own = import ../lib.nix { inherit scope; };
  # A checkpoint with random weights, in a directory.
  tiny = {
    name = "acme/tiny";
    source = ../../tests/fixtures/tiny-bert;
  };
in
{
  inherit (scope)
    server
    model-minilm
    model-minilm-fp32
    model-minilm-int8
    ;
  format = callPackage ./format.nix { };
  lints = callPackage ./lints.nix { };
  tests = callPackage ./tests.nix { };
  openapi = callPackage ./openapi.nix { };
  golden = scope.golden.override { model = scope.model-minilm-int8; };
  served = callPackage ./served.nix { };
  own-model = own.modelFor tiny;
  own-model-int8 = own.modelFor (tiny // { precision = "int8"; });
  # A pin as `runpod-query pin` prints it.
  own-pinned-model = own.modelFor {
    name = "minilm";
    source = scope.pins.models.minilm;
  };
}
// lib.optionalAttrs scope.isLinux {
  inherit (scope) image-minilm image-minilm-fp16-int8;
  own-image = own.imageFor (tiny // { tag = "tiny"; });
}
