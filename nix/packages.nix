# The packages of `nix build .#...`. Images exist only for Linux, everything else also for macOS.
{ lib, scope }:
{
  default = scope.server;
  inherit (scope)
    server
    onnxruntime
    checkpoint
    model
    model-fp32
    model-int8
    model-minilm
    model-minilm-fp32
    model-minilm-int8
    golden
    golden-fp32
    golden-int8
    push
    smoke
    ;
}
// lib.optionalAttrs scope.isLinux {
  inherit (scope)
    root
    root-fp32
    root-int8
    root-fp16-int8
    root-minilm
    image
    image-fp32
    image-int8
    image-minilm
    image-minilm-fp16-int8
    ;
}
