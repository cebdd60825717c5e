//! The command line: what was typed, and the one call that each command is.
//!
//! Owns the arguments and what is written to standard output; results go there, everything else to standard error.
//! Imports everything below it.

mod arguments;
mod bench;
mod embed;
mod export;
mod golden;
mod handler_flags;
mod health;
mod local;
mod log_lines;
mod prepare;
mod print;
mod serve;
mod typed;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::ErrorKind;

use crate::config::{self, Settings};
use crate::runpod::Timings;
use arguments::{Arguments, Command};
use typed::Typed;

/// Why a command failed. It ends as one line on standard error, so nobody has to tell causes apart by type; it may come
/// from another thread, since a server loads its model behind its back.
type Failure = Box<dyn Error + Send + Sync>;

/// Runs the program and gives its exit code: 0 when the command did what it says, 1 when it failed, 2 when it was
/// not understood. `arguments` begin with the program's name; `timings` are those of RunPod's queue. A command whose reader goes ends silently, as a signal would end it.
pub fn run(arguments: impl IntoIterator<Item = OsString>, timings: Timings) -> ExitCode {
    let typed = typed::parse(arguments, config::is_queue_worker())
        .and_then(refuse_flags_of_others)
        .unwrap_or_else(|error| error.exit());
    match execute(typed, timings) {
        Ok(code) => code,
        Err(error) if print::is_unread(error.as_ref()) => ExitCode::from(print::BROKEN_PIPE),
        Err(error) => {
            // Where nobody reads this either, the exit code has to do.
            let _ = writeln!(io::stderr(), "error: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// The flags of a handler belong to what a handler does: serving.
fn refuse_flags_of_others(typed: Typed) -> Result<Typed, clap::Error> {
    let Arguments {
        handler, command, ..
    } = &typed.arguments;
    match command {
        None | Some(Command::Serve(_)) => Ok(typed),
        Some(_) if handler.are_given() => Err(Arguments::command().error(
            ErrorKind::ArgumentConflict,
            "--test_input and --rp_... go with serve or with no command",
        )),
        Some(_) => Ok(typed),
    }
}

fn execute(Typed { arguments, ignored }: Typed, timings: Timings) -> Result<ExitCode, Failure> {
    let is_bare = arguments.command.is_none();
    let command = arguments.command.unwrap_or_default();
    let (file, handler) = (arguments.settings, arguments.handler);
    let mut overrides = command.overrides();
    overrides.extend(handler.overrides());
    let mut settings = Settings::load(file.as_deref(), overrides)?;
    if handler.serve_api || config::is_realtime() {
        settings.worker.leave_queue();
    }
    log_lines::start(&settings);
    if !ignored.is_empty() {
        log::warn!("arguments that are not understood: {}", ignored.join(", "));
    }
    for variable in &settings.unusable_variables {
        log::warn!("{variable} is not a usable number; the default is used");
    }
    match command {
        Command::Serve(_) => match local::job(&handler, is_bare, &settings)? {
            Some(job) => local::perform(&settings, &job),
            None => serve::serve(settings, timings),
        },
        Command::Embed(embed) => embed::embed(&settings, &embed),
        Command::Fetch(_) => prepare::fetch(&settings),
        Command::Export(export) => export::export(&settings, &export),
        Command::Bench(bench) => bench::bench(&settings, &bench, file.as_deref()),
        Command::Golden(golden) => golden::golden(&settings, &golden),
        Command::Health(health) => health::health(&settings, &health),
        Command::Openapi => serve::openapi(),
    }
}

/// An error and its causes, the outermost first.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
