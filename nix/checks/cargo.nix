# A derivation that runs one command of Cargo over everything that tests read, and leaves nothing.
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
    src = sources.tests;
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
