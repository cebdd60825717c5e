# What `nix run .#...` starts.
{ lib, scope }:
let
  app = description: package: {
    type = "app";
    program = lib.getExe package;
    meta = { inherit description; };
  };
  serve = root: scope.serve.override { inherit root; };
in
{
  default = app "Serve bge-m3 in fp32" scope.serve;
  int8 = app "Serve bge-m3 in int8" (serve scope.root-int8);
  minilm = app "Serve the small model" (serve scope.root-minilm);
  push = app "Push an image to a registry" scope.push;
  smoke = app "Ask a running server what a client would ask" scope.smoke;
}
