# `nix run`: the server with a pinned model and ONNX Runtime from the store.
{
  lib,
  writeShellApplication,
  server,
  settings,
  model,
}:
writeShellApplication {
  name = "runpod-query";
  text = ''
    exec ${lib.getExe server} --settings ${settings.override { inherit model; }} "$@"
  '';
}
