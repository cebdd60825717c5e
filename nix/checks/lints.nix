{ callPackage }:
callPackage ./cargo.nix { } "lints" "cargo clippy --frozen --workspace --all-targets -- -D warnings"
  { }
