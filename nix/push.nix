# Pushes an image to a registry: the same script for a local registry and for Docker Hub.
{
  lib,
  writeShellApplication,
  coreutils,
  skopeo,
}:
writeShellApplication {
  name = "push";
  runtimeInputs = [
    coreutils
    skopeo
  ];
  text = lib.removePrefix "# shellcheck shell=bash\n" (builtins.readFile ./push.sh);
}
