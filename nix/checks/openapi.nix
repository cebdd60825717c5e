# The document that is checked in is the one that the program writes.
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
