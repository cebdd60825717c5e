//! The command line: its arguments and commands.
//!
//! Owns the arguments and the output of the commands. Invariant: only results go to standard output, everything else goes
//! to standard error. Imports all other modules.

mod arguments;
mod bench;
mod embed;
mod embed_output;
mod export;
mod handler_flags;
mod ignored_arguments;
mod load_model;
mod local;
mod log_lines;
mod serve;

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};

use clap::CommandFactory;
use clap::error::ErrorKind;

use crate::app::ExitCode;
use crate::config::{self, Settings};
use crate::runpod::ProtocolDurations;
use crate::service::with_causes;
use arguments::{Arguments, Command};
use ignored_arguments::Typed;

/// The exit code after the reader closed standard output: that of a program ended by SIGPIPE.
const BROKEN_PIPE: ExitCode = ExitCode::of_signal(13);

/// Why a command failed. It becomes one line on standard error, so the type does not matter. It may come from another
/// thread, because the server loads its model in the background.
type Failure = Box<dyn Error + Send + Sync>;

/// Runs the program and ends the process. The exit code is 0 on success, 1 on failure, 2 on invalid arguments.
///
/// `arguments` begin with the program's name; `durations` are those of RunPod's queue. If the reader of standard output
/// closes it, the command ends silently with exit code 141.
pub fn run(arguments: impl IntoIterator<Item = OsString>, durations: ProtocolDurations) -> ! {
    let typed = ignored_arguments::parse(arguments, config::is_queue_worker())
        .and_then(reject_misplaced)
        .unwrap_or_else(|error| error.exit());
    let code = match execute(typed, durations) {
        Ok(code) => code,
        Err(error) if is_unread(error.as_ref()) => BROKEN_PIPE,
        Err(error) => {
            // If standard error is closed too, the exit code is all that remains.
            let _ = writeln!(io::stderr(), "error: {}", with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    };
    model::leave(code.number())
}

/// Rejects a handler's flags for commands other than `serve`, options of `serve` before them, and options of `bench` that
/// exclude each other by their values.
fn reject_misplaced(typed: Typed) -> Result<Typed, clap::Error> {
    let Arguments {
        handler,
        serve,
        command,
        ..
    } = &typed.arguments;
    let why = match command {
        None | Some(Command::Serve(_)) => return Ok(typed),
        Some(_) if handler.are_given() => {
            "--test_input and --rp_... are accepted only with serve or without a command"
        }
        Some(_) if !serve.overrides().is_empty() => {
            "options before the command are those of serve; this command's own go after it"
        }
        Some(Command::Bench(bench)) if bench.compares_threads() && bench.measures_more() => {
            "--long and --baseline are for one number of --threads"
        }
        Some(_) => return Ok(typed),
    };
    Err(Arguments::command().error(ErrorKind::ArgumentConflict, why))
}

fn execute(
    Typed { arguments, ignored }: Typed,
    durations: ProtocolDurations,
) -> Result<ExitCode, Failure> {
    let mut overrides = arguments.serve.overrides();
    let is_bare = arguments.command.is_none() && overrides.is_empty();
    let command = arguments.command.unwrap_or(Command::Serve(arguments.serve));
    let (file, handler) = (arguments.settings, arguments.handler);
    overrides.extend(command.overrides());
    overrides.extend(handler.overrides());
    let mut settings = Settings::load(file.as_deref(), overrides)?;
    if handler.serve_api || config::is_realtime() {
        settings.worker.leave_queue();
    }
    log_lines::start(&settings);
    if !ignored.is_empty() {
        log::warn!("ignored arguments: {}", ignored.join(", "));
    }
    for variable in &settings.unusable_variables {
        log::warn!("{variable} is not a usable number; the default is used");
    }
    match command {
        Command::Serve(_) => match local::job(&handler, is_bare, &settings)? {
            Some(job) => local::perform(&settings, &job)?,
            None => return serve::serve(settings, durations),
        },
        Command::Embed(embed) => embed::embed(&settings, &embed)?,
        Command::Fetch(_) => load_model::fetch(&settings)?,
        Command::Pin(_) => load_model::pin(&settings)?,
        Command::Export(export) => export::export(&settings, &export)?,
        Command::Bench(bench) => bench::bench(&settings, &bench, file.as_deref())?,
        Command::Golden(golden) => export::golden(&settings, &golden)?,
        Command::Health(health) => serve::health(&settings, &health)?,
        Command::Openapi => serve::openapi(&settings)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a line to standard output.
fn print_line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Whether a command failed because the reader closed standard output.
fn is_unread(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    let written = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let json = || {
        error
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind)
    };
    written.or_else(json) == Some(io::ErrorKind::BrokenPipe)
}
