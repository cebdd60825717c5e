{ callPackage }:
callPackage ./cargo.nix { } "lints" "cargo clippy --offline --frozen --all-targets -- -D warnings"
  { }
