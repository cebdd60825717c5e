# The server. Its tests are a check of their own, so that an image does not wait for them.
{
  lib,
  rustPlatform,
  crates,
  manifest,
  sources,
}:
let
  inherit (manifest) package;
in
rustPlatform.buildRustPackage {
  pname = package.name;
  inherit (manifest.workspace.package) version;
  src = sources.server;
  cargoDeps = crates;
  # Without this, the exporter would be part of every image.
  cargoBuildFlags = [
    "--package"
    package.name
  ];
  doCheck = false;

  # A panic names the source file it comes from. With store paths, every image would contain the sources of all dependencies.
  preBuild = ''
    export RUSTFLAGS="--remap-path-prefix=${crates}=/crates --remap-path-prefix=$NIX_BUILD_TOP=/build"
  '';
  disallowedReferences = [ crates ];

  meta = {
    inherit (package) description;
    license = lib.licenses.mit;
    mainProgram = package.name;
  };
}
