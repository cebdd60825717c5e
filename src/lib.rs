//! Text embeddings of BAAI/bge-m3 on a CPU: a RunPod Serverless worker, an HTTP service and a command.
//!
//! The server. The crates `kernels`, `model` and `bench` stand beside it. Dependencies run one way, held by a test:
//!
//! ```text
//! main -> cli -> app -> { http, runpod } -> jobs -> service -> engine -> (model)
//! config, artifacts, metrics: leaves
//! ```
#![cfg_attr(not(test), warn(clippy::unwrap_used))]
// They panic where nobody reads what is printed.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod app;
pub mod artifacts;
pub mod cli;
pub mod config;
pub mod engine;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod http;
pub mod jobs;
pub mod metrics;
pub mod runpod;
pub mod service;
