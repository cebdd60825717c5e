//! Everything that is tested through the library's public face, in one binary and one process, so that models are
//! loaded once.

mod architecture;
mod artifacts;
mod bench;
mod checkpoints;
mod documents;
mod endurance;
mod engine;
mod export;
mod http;
mod hub;
mod model;
mod program;
mod runpod;
mod support;
