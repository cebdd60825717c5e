{ callPackage }:
callPackage ./cargo.nix { } "format" "cargo fmt --check" { }
