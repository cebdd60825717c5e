# The flake's `lib`: the model and the image of any checkpoint.
#
# `source` is a directory with a checkpoint, or a pin of a repository as `runpod-query pin` prints it. A directory has no name, no
# revision and no license of its own.
{ scope }:
let
  modelFor =
    {
      source,
      name ? source.repository or (throw "a model from a directory needs a name"),
      revision ? source.revision or "",
      license ? source.license or null,
      precision ? "fp16",
      pooling ? null,
    }:
    scope.model.override {
      inherit
        name
        revision
        license
        precision
        pooling
        ;
      # Values are published for the pinned models alone.
      reference = null;
      checkpoint =
        if source ? files then
          scope.checkpoint.override {
            inherit name;
            pin = source;
          }
        else
          source;
    };
in
{
  inherit modelFor;

  imageFor =
    {
      tag ? "latest",
      ...
    }@arguments:
    scope.image.override {
      inherit tag;
      root = scope.root.override { model = modelFor (removeAttrs arguments [ "tag" ]); };
    };
}
