# The crates of Cargo.lock, unpacked, for everything that is compiled.
{ rustPlatform }:
rustPlatform.importCargoLock { lockFile = ../Cargo.lock; }
