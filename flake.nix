{
  description = "BAAI/bge-m3 query embeddings on a CPU, as a RunPod Serverless worker and an HTTP service";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      stamp = {
        created = "@${toString (self.lastModified or 1)}";
        revision = self.rev or self.dirtyRev or "unknown";
      };
      scopeOf =
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        lib.makeScope pkgs.newScope (import ./nix { inherit stamp; });
      forEachSystem =
        attributes:
        lib.genAttrs [ "x86_64-linux" "aarch64-linux" "aarch64-darwin" ] (
          system: attributes (scopeOf system)
        );
    in
    {
      packages = forEachSystem (scope: import ./nix/packages.nix { inherit lib scope; });
      apps = forEachSystem (scope: import ./nix/apps.nix { inherit lib scope; });
      checks = forEachSystem (scope: import ./nix/checks { inherit lib scope; });
      devShells = forEachSystem (scope: {
        default = scope.shell;
      });
      formatter = forEachSystem (scope: scope.formatter);

      # Model and image of your own checkpoint: docs/your-own-model.md.
      lib = forEachSystem (scope: import ./nix/lib.nix { inherit scope; });

      # The scope itself, so that a part can be replaced: `overrideScope (final: previous: { checkpoint = ...; })`.
      legacyPackages = forEachSystem (scope: scope);
    };
}
