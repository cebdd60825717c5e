# A folder of model directories of one model, each called by its precision; the setting `model.precision` chooses.
{
  lib,
  linkFarm,
  models,
}:
let
  first = lib.head models;
  precisions = map (model: model.precision) models;
in
(linkFarm "${first.modelName}-${lib.concatStringsSep "-" precisions}" (
  map (model: {
    name = model.precision;
    path = model;
  }) models
)).overrideAttrs
  {
    passthru = {
      inherit (first) modelName license;
      precision = lib.concatStringsSep " or " precisions;
    };
  }
