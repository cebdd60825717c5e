# All tests of the workspace, with ONNX Runtime and the small model from the store.
{
  callPackage,
  cacert,
  cache,
  onnxruntime,
  sources,
}:
callPackage ./cargo.nix { } "tests"
  ''
    export HOME="$TMPDIR/home" RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY="$TMPDIR/cache"
    mkdir -p "$HOME" "$TMPDIR/cache/checkpoints"
    ln -s ${cache}/checkpoints/* "$TMPDIR/cache/checkpoints/"
    cargo test --frozen --workspace
  ''
  {
    src = sources.tests;
    ORT_DYLIB_PATH = "${onnxruntime}/${onnxruntime.library}";
    __darwinAllowLocalNetworking = true;
    # An HTTPS client cannot be created without certificates, even if it makes no request.
    SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
  }
