# Starts the server as an image does, and checks readiness, the three actions, the published values and the stop on SIGTERM.
{
  lib,
  runCommand,
  model-minilm,
  serve,
  smoke,
  cacert,
}:
runCommand "served"
  {
    __darwinAllowLocalNetworking = true;
    SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
  }
  ''
    export HOME="$TMPDIR"
    ${lib.getExe (serve.override { model = model-minilm; })} serve --host 127.0.0.1 --port 8000 &
    ${lib.getExe smoke} http://127.0.0.1:8000 minilm
    kill -TERM "$!"
    wait "$!"
    touch "$out"
  ''
