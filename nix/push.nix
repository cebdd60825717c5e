# Pushes an image to a registry: the same script for a registry on this machine and for Docker Hub.
{
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
  text = builtins.readFile ./push.sh;
}
