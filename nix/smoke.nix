# Sends a client's requests to a running server, and compares its vectors with the published values.
{
  lib,
  writeShellApplication,
  coreutils,
  curl,
  jq,
}:
writeShellApplication {
  name = "smoke";
  runtimeInputs = [
    coreutils
    curl
    jq
  ];
  runtimeEnv.REFERENCES = "${../crates/model/src/export/reference}";
  text = lib.removePrefix "# shellcheck shell=bash\n" (builtins.readFile ./smoke.sh);
}
