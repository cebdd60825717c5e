# The dependencies in Cargo.lock, unpacked, for every Cargo build.
{ rustPlatform }:
rustPlatform.importCargoLock { lockFile = ../Cargo.lock; }
