# `pins.json`, which the Rust code reads too, in the forms that nixpkgs takes.
{ lib }:
let
  pins = lib.importJSON ./pins.json;
in
pins
// {
  # A file's hash in SRI form; `pins.json` contains hexadecimal digits.
  hashOf =
    { sha256, ... }:
    builtins.convertHash {
      hash = sha256;
      hashAlgo = "sha256";
      toHashFormat = "sri";
    };

  # The URL of a model's file on the hub.
  urlOf =
    model: path:
    let
      inherit (pins.hub) url file;
      revision = model.files.${path}.revision or model.revision;
    in
    "${url}/${
      lib.replaceStrings [ "{repository}" "{revision}" "{path}" ] [ model.repository revision path ] file
    }";

  # Part of the name of a checkpoint's directory in the program's cache. It changes whenever a file changes.
  identityOf =
    model:
    let
      lines = lib.mapAttrsToList (path: file: "${file.sha256} ${path}\n") model.files;
    in
    builtins.substring 0 12 (builtins.hashString "sha256" (lib.concatStrings lines));
}
