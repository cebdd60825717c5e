//! The real program with the small real model: its responses, output and exit codes.

mod commands;
mod environment;
mod handler;
mod isolation;
mod log;
mod precision;
mod serve;
mod stops;
