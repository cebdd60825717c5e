# `pins.json`, which the Rust code reads too, in the words of nixpkgs.
{ lib }:
let
  pins = lib.importJSON ./pins.json;
in
pins
// {
  # The form that `fetchurl` wants; the file has hexadecimal digits.
  hashOf =
    { sha256, ... }:
    builtins.convertHash {
      hash = sha256;
      hashAlgo = "sha256";
      toHashFormat = "sri";
    };

  # Where the hub keeps a file of a model.
  urlOf =
    model: path:
    let
      inherit (pins.hub) url file;
      revision = model.files.${path}.revision or model.revision;
    in
    "${url}/${
      lib.replaceStrings [ "{repository}" "{revision}" "{path}" ] [ model.repository revision path ] file
    }";

  # The name that the program gives the folder of a checkpoint in its cache: it changes whenever a file does.
  identityOf =
    model:
    let
      lines = lib.mapAttrsToList (path: file: "${file.sha256} ${path}\n") model.files;
    in
    builtins.substring 0 12 (builtins.hashString "sha256" (lib.concatStrings lines));
}
