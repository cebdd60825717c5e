# The packages of `nix build .#...`. Images exist only for Linux, everything else also for macOS.
{ lib, scope }:
{
  default = scope.server;
  inherit (scope)
    server
    onnxruntime
    checkpoint
    model
    model-int8
    model-minilm
    model-minilm-int8
    golden
    golden-int8
    push
    smoke
    ;
}
// lib.optionalAttrs scope.isLinux {
  inherit (scope)
    root
    root-int8
    root-minilm
    image
    image-int8
    image-minilm
    ;
}
