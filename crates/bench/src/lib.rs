//! Measuring a server over HTTP, and a synthetic model to measure it with.
//!
//! Owns the measurements of the `bench` command and their report. It knows nothing of the server's code: the server is a
//! process behind a socket. Invariant: nothing of this crate competes with the server for the processor during a
//! measurement.

mod client;
mod error;
mod machine;
mod measure;
mod measured_server;
mod memory_bandwidth;
mod process_memory;
mod processor;
mod random;
mod report;
mod run;
mod server;
mod statistics;
pub mod synthetic;
mod texts;
mod threads;
mod workload;

pub use client::{JOB_TIMEOUT, RequestError};
pub use error::Error;
pub use machine::Machine;
pub use measure::Effort;
pub use measured_server::ServerSource;
pub use report::{
    Baseline, Batch, ColdStart, Flood, Latency, LongText, Memory, Model, Ratio, Report,
    ThreadCount, Throughput,
};
pub use run::{Plan, run};
pub use server::ServerCommand;
pub use threads::{ThreadsPlan, compare_threads};
