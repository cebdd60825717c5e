# A model directory, exported from a checkpoint. The build fails if the model does not reproduce the values published for
# `reference` within the tolerances of its precision.
{
  lib,
  runCommand,
  exporter,
  onnxruntime,
  pins,
  checkpoint,
  reference,
  name,
  revision ? pins.models.${name}.revision,
  license ? pins.models.${name}.license,
  precision ? "fp16",
  pooling ? null,
}:
# The name of a store path cannot contain a slash.
runCommand (lib.replaceStrings [ "/" ] [ "-" ] "${name}-${precision}")
  {
    passthru = {
      modelName = name;
      inherit license precision;
    };
  }
  ''
    ${lib.getExe exporter} ${
      lib.escapeShellArgs [
        "${onnxruntime}/${onnxruntime.library}"
        "${checkpoint}"
      ]
    } "$out" ${
      lib.escapeShellArgs [
        name
        revision
        precision
        (if reference == null then "" else reference)
      ]
    } ${lib.optionalString (pooling != null) "--pooling ${lib.escapeShellArg pooling}"}
  ''
