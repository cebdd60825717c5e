# The exporter alone: the folders of `src` that decide about the bytes of a model, with a `main` of their own.
#
# The server can export, too, and runs the same code. But a model that came from the server would get another store path with
# every change of a route, and a layer of 2.3 GB would be pushed again.
{
  lib,
  stdenv,
  cargo,
  rustc,
  rustPlatform,
  crates,
  sources,
}:
let
  # The rest of Cargo.toml would be compiled for nothing.
  dependencies = [
    "log"
    "multiversion"
    "ndarray"
    "ort"
    "prost"
    "safetensors"
    "serde"
    "serde_json"
    "sha2"
    "tempfile"
    "thiserror"
    "tokenizers"
  ];
in
stdenv.mkDerivation {
  name = "exporter";
  src = sources.exporter;
  cargoDeps = crates;
  nativeBuildInputs = [
    cargo
    rustc
    rustPlatform.cargoSetupHook
  ];

  postPatch = ''
    cp ${./lib.rs} src/lib.rs
    cp ${./main.rs} src/main.rs
  '';

  # Not frozen: Cargo drops what is not needed from its lock and adds nothing, because it is offline.
  buildPhase = ''
    runHook preBuild
    awk '
      /^\[/ { listed = $0 == "[dependencies]" }
      !listed || /^\[/ || /^(${lib.concatStringsSep "|" dependencies}) =/
    ' Cargo.toml > needed.toml
    mv needed.toml Cargo.toml
    cargo build --release --offline -j "$NIX_BUILD_CORES"
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    install -D target/release/runpod-query "$out/bin/export-model"
    runHook postInstall
  '';

  meta.mainProgram = "export-model";
}
