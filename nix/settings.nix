# The settings by which the program serves a model out of the store and fetches nothing.
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
