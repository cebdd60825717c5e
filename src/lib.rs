//! Text embeddings of BAAI/bge-m3 on a CPU: a RunPod Serverless worker, an HTTP service and a command.
//!
//! One-way dependency, held by a test:
//!
//! ```text
//! main -> cli -> app -> { http, worker } -> jobs -> openai -> service -> engine -> model
//!             \-> bench -> export -> model        config, artifacts, metrics: leaves
//! ```
#![cfg_attr(not(test), warn(clippy::unwrap_used))]
// They panic where nobody reads what is printed.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod app;
pub mod artifacts;
pub mod bench;
pub mod cli;
pub mod config;
pub mod engine;
pub mod export;
pub mod http;
pub mod jobs;
pub mod metrics;
pub mod model;
pub mod openai;
pub mod service;
pub mod worker;
