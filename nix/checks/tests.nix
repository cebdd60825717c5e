# The whole of `cargo test`, with the runtime and the small model out of the store.
{
  callPackage,
  cacert,
  cache,
  onnxruntime,
}:
callPackage ./cargo.nix { } "tests"
  ''
    export HOME="$TMPDIR/home" RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY="$TMPDIR/cache"
    mkdir -p "$HOME" "$TMPDIR/cache/checkpoints"
    ln -s ${cache}/checkpoints/* "$TMPDIR/cache/checkpoints/"
    cargo test --offline --frozen
  ''
  {
    ORT_DYLIB_PATH = "${onnxruntime}/${onnxruntime.library}";
    __darwinAllowLocalNetworking = true;
    # An HTTPS client cannot be set up without certificates, though nothing is asked here.
    SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
  }
