# `nix run`: the program with a pinned model and the runtime out of the store.
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
