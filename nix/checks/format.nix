{ callPackage }:
callPackage ./cargo.nix { } "format" "cargo fmt --all --check" { }
