//! Measuring a server over HTTP, and a model to measure it with.
//!
//! Owns the `bench` command's measurements and its report. Never imports the server: what is measured is a process on the other side of a socket. Invariant: nothing
//! is measured while something of this module's own competes for the processor.

mod client;
mod error;
mod machine;
mod measure;
pub mod process_memory;
mod random;
mod report;
mod run;
mod server;
mod session;
mod start;
mod statistics;
pub mod synthetic;
mod texts;

pub use client::RequestError;
pub use error::Error;
pub use machine::Machine;
pub use measure::Effort;
pub use report::{
    Baseline, Batch, ColdStart, Latency, LongText, Memory, Model, Report, Target, Throughput,
};
pub use run::{Plan, Subject, run};
pub use server::ServerCommand;
