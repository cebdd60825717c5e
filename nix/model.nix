# A checkpoint as a model directory, made by our own exporter. The build fails where the result does not reproduce the values that
# were published for `reference`; int8 has tolerances of its own.
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
