# The parts of the flake, each defined by one file of this folder. A part with the name of a nixpkgs package replaces it here.
{ stamp }:
final:
let
  inherit (final) callPackage;
  folderOf = models: callPackage ./models.nix { inherit models; };
in
{
  inherit stamp;
  isLinux = callPackage ({ stdenv }: stdenv.hostPlatform.isLinux) { };
  manifest = callPackage ({ lib }: lib.importTOML ../Cargo.toml) { };
  pins = callPackage ./pins.nix { };
  sources = callPackage ./src.nix { };
  crates = callPackage ./crates.nix { };

  onnxruntime = callPackage ./onnxruntime.nix { };
  exporter = callPackage ./exporter.nix { };
  server = callPackage ./server.nix { };

  checkpoint = callPackage ./checkpoint.nix { name = "bge-m3"; };
  checkpoint-minilm = callPackage ./checkpoint.nix { name = "minilm"; };

  # The model whose published values an export must reproduce; null for weights without published values.
  reference = "bge-m3";

  model = callPackage ./model.nix { name = "bge-m3"; };
  model-fp32 = final.model.override { precision = "fp32"; };
  model-int8 = final.model.override { precision = "int8"; };
  model-fp16-int8 = folderOf [
    final.model
    final.model-int8
  ];
  model-minilm = final.model.override {
    name = "minilm";
    checkpoint = final.checkpoint-minilm;
    reference = "minilm";
  };
  model-minilm-fp32 = final.model-minilm.override { precision = "fp32"; };
  model-minilm-int8 = final.model-minilm.override { precision = "int8"; };
  model-minilm-fp16-int8 = folderOf [
    final.model-minilm
    final.model-minilm-int8
  ];

  settings = callPackage ./settings.nix { };
  root = callPackage ./root.nix { };
  root-fp32 = final.root.override { model = final.model-fp32; };
  root-int8 = final.root.override { model = final.model-int8; };
  root-fp16-int8 = final.root.override { model = final.model-fp16-int8; };
  root-minilm = final.root.override { model = final.model-minilm; };
  root-minilm-fp16-int8 = final.root.override { model = final.model-minilm-fp16-int8; };

  image = callPackage ./image.nix { };
  image-fp32 = final.image.override {
    root = final.root-fp32;
    tag = "latest-fp32";
  };
  image-int8 = final.image.override {
    root = final.root-int8;
    tag = "latest-int8";
  };
  image-minilm = final.image.override {
    root = final.root-minilm;
    tag = "minilm";
  };
  image-minilm-fp16-int8 = final.image.override {
    root = final.root-minilm-fp16-int8;
    tag = "minilm-fp16-int8";
  };

  golden = callPackage ./golden.nix { };
  golden-fp32 = final.golden.override { model = final.model-fp32; };
  golden-int8 = final.golden.override { model = final.model-int8; };

  serve = callPackage ./serve.nix { };
  smoke = callPackage ./smoke.nix { };
  push = callPackage ./push.nix { };
  shell = callPackage ./shell.nix { };
  cache = callPackage ./cache.nix { };
  formatter = callPackage ({ nixfmt-tree }: nixfmt-tree) { };
}
