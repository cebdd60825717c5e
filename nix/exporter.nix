# The program of `crates/model` that writes model directories.
#
# The server can export, too, and runs the same code. But a model that the server wrote would get a new store path with every change
# to a route, and a layer of 2.3 GB would be pushed again.
{
  lib,
  rustPlatform,
  crates,
  manifest,
  sources,
}:
rustPlatform.buildRustPackage {
  pname = "export-model";
  inherit (manifest.workspace.package) version;
  src = sources.exporter;
  cargoDeps = crates;
  cargoBuildFlags = [
    "--package"
    "model"
  ];
  doCheck = false;

  # Cargo refuses a package without a target, even one that it does not compile.
  postPatch = ''
    for package in . crates/*; do
      [ -e "$package/src/lib.rs" ] || install -D /dev/null "$package/src/lib.rs"
    done
    touch src/main.rs
  '';

  meta = {
    description = "Writes a Hugging Face checkpoint as a model directory";
    license = lib.licenses.mit;
    mainProgram = "export-model";
  };
}
