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
  precision ? "fp32",
}:
runCommand "${name}-${precision}"
  {
    passthru = {
      modelName = name;
      inherit precision;
      license = pins.models.${name}.license;
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
    }
  ''
