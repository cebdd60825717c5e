# The part of the program's cache that the store provides. With it, tests download nothing.
{
  linkFarm,
  pins,
  checkpoint-minilm,
}:
linkFarm "cache" {
  "checkpoints/minilm-${pins.identityOf pins.models.minilm}" = checkpoint-minilm;
}
