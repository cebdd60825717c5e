# The program. Its tests are a check of their own, so that an image need not wait for them.
{
  lib,
  rustPlatform,
  sources,
}:
let
  inherit (lib.importTOML ../Cargo.toml) package;
in
rustPlatform.buildRustPackage {
  pname = package.name;
  inherit (package) version;
  src = sources.program;
  cargoLock.lockFile = ../Cargo.lock;
  doCheck = false;
  meta = {
    inherit (package) description;
    license = lib.licenses.mit;
    mainProgram = package.name;
  };
}
