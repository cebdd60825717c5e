# What is built from which files: nothing is built again because of a file that it does not read.
{ lib }:
let
  inherit (lib) fileset;
  only =
    files:
    fileset.toSource {
      root = ../.;
      fileset = fileset.unions files;
    };
  manifest = [
    ../Cargo.toml
    ../Cargo.lock
  ];
  program = manifest ++ [
    ../src
    ./pins.json
  ];
in
{
  program = only program;

  # With all that tests and lints read. `tests` has a script that must stay executable.
  tests = only (
    program
    ++ [
      ../.runpod
      ../benches
      ../openapi
      ../tests
    ]
  );

  # What decides about the bytes of a model. See `exporter`.
  exporter = only (
    manifest
    ++ [
      ../src/config/precision.rs
      ../src/export
      ../src/model
    ]
  );
}
