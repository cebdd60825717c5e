# Starts the server as an image with two precisions does, in each of them, and checks readiness, the three actions, the
# published values and the stop on SIGTERM.
{
  lib,
  runCommand,
  model-minilm-fp16-int8,
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
    for precision in fp16 int8; do
      RUNPOD_QUERY__MODEL__PRECISION=$precision \
        ${lib.getExe (serve.override { model = model-minilm-fp16-int8; })} serve --host 127.0.0.1 --port 8000 &
      ${lib.getExe smoke} http://127.0.0.1:8000 minilm "$precision"
      kill -TERM "$!"
      wait "$!"
    done
    touch "$out"
  ''
