# Settings with which the server loads a model from the store and downloads nothing.
{
  writeText,
  model,
  onnxruntime,
}:
writeText "runpod-query.toml" ''
  [model]
  directory = "${model}"

  [artifacts]
  offline = true
  runtime_library = "${onnxruntime}/${onnxruntime.library}"
''
