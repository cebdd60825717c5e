# The source files of each build. A build lists exactly what it reads, so no other file causes a rebuild.
{ lib }:
let
  inherit (lib) fileset;
  only =
    files:
    fileset.toSource {
      root = ../.;
      fileset = fileset.unions files;
    };
  workspace = [
    ../Cargo.toml
    ../Cargo.lock
  ];
  # Cargo reads the manifests of all members, whichever it builds.
  manifests = workspace ++ [
    (fileset.fileFilter (file: file.name == "Cargo.toml") ../crates)
  ];
  server = workspace ++ [
    ../crates
    ../src
    ./pins.json
  ];
  code = server ++ [
    ../fuzz
    ../openapi
    ../tests
  ];
  # The pages, and the files that they link to: a test follows the links.
  pages = [
    ../.ci
    ../.github
    ../CHANGELOG.md
    ../CONTRIBUTING.md
    ../Dockerfile
    ../LICENSE
    ../README.md
    ../SECURITY.md
    ../deny.toml
    ../docs
    ../flake.lock
    ../flake.nix
    ./.
  ];
in
{
  # What decides the bytes of a model.
  exporter = only (
    manifests
    ++ [
      ../crates/kernels
      ../crates/model
    ]
  );

  server = only server;

  # Everything that is compiled or formatted.
  code = only code;

  # Everything that tests read. `tests` contains a script that must stay executable.
  tests = only (
    code
    ++ pages
    ++ [
      ../.runpod
      ../benches
    ]
  );
}
