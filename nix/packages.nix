# What `nix build .#...` offers. Images are for Linux; everything else is for Macs, too.
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
