# The committed OpenAPI document must equal the one that the server writes.
{
  lib,
  runCommand,
  server,
}:
runCommand "openapi" { } ''
  HOME="$TMPDIR" ${lib.getExe server} openapi > openapi.json
  diff -u ${../../openapi/openapi.json} openapi.json
  touch "$out"
''
