# What the server itself, not the exporter, makes of the published texts: the report of every comparison.
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
