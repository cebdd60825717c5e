# What a container finds at fixed places: the program, and the settings by which it fetches nothing. Image and Dockerfile both
# take it from here.
{
  lib,
  linkFarm,
  writeText,
  server,
  model,
  onnxruntime,
}:
linkFarm "runpod-query-root-${model.modelName}" {
  "bin/runpod-query" = lib.getExe server;
  "etc/runpod-query.toml" = writeText "runpod-query.toml" ''
    [model]
    directory = "${model}"

    [artifacts]
    offline = true
    runtime_library = "${onnxruntime}/${onnxruntime.library}"
  '';
}
// {
  inherit model;
}
