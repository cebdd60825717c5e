# `nix run`: the program with the pinned model and runtime out of the store.
{
  writeShellApplication,
  root,
}:
writeShellApplication {
  name = "runpod-query";
  text = ''
    exec ${root}/bin/runpod-query --settings ${root}/etc/runpod-query.toml "$@"
  '';
}
