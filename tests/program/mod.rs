//! The real program with the small real model, or with a repository of a local hub: its responses, output and exit codes.

mod commands;
mod embed;
mod environment;
mod handler;
mod isolation;
mod log;
mod outputs;
mod precision;
mod repositories;
mod serve;
mod stops;
