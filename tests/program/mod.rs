//! The real program with the small real model: its responses, output and exit codes.

mod commands;
mod environment;
mod handler;
mod serve;
mod stops;
