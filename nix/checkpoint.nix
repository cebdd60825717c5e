# A model's checkpoint. Each file is fetched and verified on its own, so a hash mismatch names the file.
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
      # The name of a store path cannot contain a slash.
      name = "${name}-${lib.replaceStrings [ "/" ] [ "-" ] path}";
      url = pins.urlOf model path;
      hash = pins.hashOf file;
    };
in
linkFarm "${name}-checkpoint" (lib.mapAttrs fetch model.files)
