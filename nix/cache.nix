# What the program keeps in its cache, as far as the store has it: with this, tests fetch nothing.
{
  linkFarm,
  pins,
  checkpoint-minilm,
}:
linkFarm "cache" {
  "checkpoints/minilm-${pins.identityOf pins.models.minilm}" = checkpoint-minilm;
}
