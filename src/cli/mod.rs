//! The command line: what was typed, and the one call that each command is.
//!
//! Owns the arguments and what is written to standard output; results go there, everything else to standard error.
//! Imports everything below it.

mod arguments;
mod bench;
mod embed;
mod export;
mod golden;
mod health;
mod prepare;
mod serve;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use crate::config::Settings;
use arguments::{Arguments, Command};

/// Why a command failed. It ends as one line on standard error, so nobody has to tell causes apart by type; it may come
/// from another thread, since a server loads its model behind its back.
type Failure = Box<dyn Error + Send + Sync>;

/// Runs the program and gives its exit code: 0 when the command did what it says, 1 when it failed, 2 when it was
/// not understood.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: Arguments) -> Result<ExitCode, Failure> {
    let command = arguments.command.unwrap_or_default();
    let file = arguments.settings;
    let settings = Settings::load(file.as_deref(), command.overrides())?;
    start_log(&settings);
    match command {
        Command::Serve(_) => serve::serve(settings),
        Command::Embed(embed) => embed::embed(&settings, &embed),
        Command::Fetch(_) => prepare::fetch(&settings),
        Command::Export(export) => export::export(&settings, &export),
        Command::Bench(bench) => bench::bench(&settings, &bench, file.as_deref()),
        Command::Golden(golden) => golden::golden(&settings, &golden),
        Command::Health(health) => health::health(&settings, &health),
        Command::Openapi => serve::openapi(),
    }
}

fn start_log(settings: &Settings) {
    env_logger::Builder::new()
        .parse_filters(&settings.log.filter)
        .format_timestamp_millis()
        .init();
}

/// An error and its causes, the outermost first.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
