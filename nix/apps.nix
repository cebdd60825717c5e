# The programs of `nix run .#...`.
{ lib, scope }:
let
  app = description: package: {
    type = "app";
    program = lib.getExe package;
    meta = { inherit description; };
  };
  serve = model: scope.serve.override { inherit model; };
in
{
  default = app "Serve bge-m3 in fp16" scope.serve;
  fp32 = app "Serve bge-m3 in fp32" (serve scope.model-fp32);
  int8 = app "Serve bge-m3 in int8" (serve scope.model-int8);
  minilm = app "Serve the small model" (serve scope.model-minilm);
  push = app "Push an image to a registry" scope.push;
  smoke = app "Send a client's requests to a running server" scope.smoke;
}
