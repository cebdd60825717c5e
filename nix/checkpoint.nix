# A model's checkpoint, from its pin. Each file is fetched and verified on its own, so a hash mismatch names the file.
{
  lib,
  fetchurl,
  linkFarm,
  pins,
  name,
  pin ? pins.models.${name},
}:
let
  # The name of a store path cannot contain a slash.
  storeName = lib.replaceStrings [ "/" ] [ "-" ];
  fetch =
    path: file:
    fetchurl {
      name = storeName "${name}-${path}";
      url = pins.urlOf pin path;
      hash = pins.hashOf file;
    };
in
linkFarm (storeName "${name}-checkpoint") (lib.mapAttrs fetch pin.files)
