# A shell in which `cargo run -- serve --model minilm`, `cargo test` and `cargo run --release -- bench` download only crates.
{
  mkShell,
  cargo,
  rustc,
  clippy,
  rustfmt,
  rust-analyzer,
  cargo-deny,
  python3,
  curl,
  jq,
  skopeo,
  cache,
  onnxruntime,
}:
mkShell {
  packages = [
    cargo
    rustc
    clippy
    rustfmt
    rust-analyzer
    cargo-deny
    python3
    curl
    jq
    skopeo
  ];
  ORT_DYLIB_PATH = "${onnxruntime}/${onnxruntime.library}";
  # The program writes to its cache, so the cache is a directory with links into the store.
  shellHook = ''
    export RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY="$PWD/target/cache"
    mkdir -p "$RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY/checkpoints"
    ln -sfn ${cache}/checkpoints/* "$RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY/checkpoints/"
  '';
}
