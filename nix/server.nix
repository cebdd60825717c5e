# The program. Its tests are a check of their own, so that an image need not wait for them.
{
  lib,
  rustPlatform,
  crates,
  sources,
}:
let
  inherit (lib.importTOML ../Cargo.toml) package;
in
rustPlatform.buildRustPackage {
  pname = package.name;
  inherit (package) version;
  src = sources.program;
  cargoDeps = crates;
  doCheck = false;

  # Panics name the source they come from. By its path in the store all sources would be part of every image.
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
