# Compares vectors computed by the server, rather than by the exporter, with the published values. The output is the report.
{
  lib,
  runCommand,
  server,
  onnxruntime,
  model,
}:
runCommand "golden-${model.modelName}-${model.precision}"
  {
    ORT_DYLIB_PATH = "${onnxruntime}/${onnxruntime.library}";
  }
  ''
    export HOME="$TMPDIR"
    ${lib.getExe server} golden ${model} --model ${model.modelName} | tee "$out"
  ''
