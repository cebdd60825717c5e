# A derivation that runs one Cargo command on the whole workspace and has an empty output.
{
  stdenv,
  cargo,
  rustc,
  clippy,
  rustfmt,
  rustPlatform,
  crates,
  sources,
}:
name: command: environment:
stdenv.mkDerivation (
  {
    inherit name;
    src = sources.code;
    cargoDeps = crates;
    nativeBuildInputs = [
      cargo
      rustc
      clippy
      rustfmt
      rustPlatform.cargoSetupHook
    ];
    buildPhase = ''
      runHook preBuild
      ${command}
      runHook postBuild
    '';
    installPhase = "touch $out";
  }
  // environment
)
