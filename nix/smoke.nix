# Asks a running server what a client would ask, and compares its vectors with the published values.
{
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
  runtimeEnv.REFERENCES = "${../src/export/reference}";
  text = builtins.readFile ./smoke.sh;
}
