# A model's checkpoint, fetched by hash, file by file. A mismatch names the file.
{
  lib,
  fetchurl,
  linkFarm,
  pins,
  name,
}:
let
  model = pins.models.${name};
  fetch =
    path: file:
    fetchurl {
      # A store path has no folders.
      name = "${name}-${lib.replaceStrings [ "/" ] [ "-" ] path}";
      url = pins.urlOf model path;
      hash = pins.hashOf file;
    };
in
linkFarm "${name}-checkpoint" (lib.mapAttrs fetch model.files)
