//! From words to arguments.
//!
//! RunPod may append what it likes to a worker's command, and a worker that does not start costs its owner money: a
//! worker leaves out what it does not know. Everybody else has made a mistake and is told so.

use std::ffi::OsString;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::arguments::Arguments;

/// What stands for an argument in the log that is no flag: it may be anything, also a secret.
const VALUE: &str = "a value";

/// What was typed.
pub struct Typed {
    /// What was understood.
    pub arguments: Arguments,
    /// Names of what was left out.
    pub ignored: Vec<String>,
}

/// Reads the words of a command line, the program's name first; `is_worker` leaves out what is not known.
pub fn parse(
    words: impl IntoIterator<Item = OsString>,
    is_worker: bool,
) -> Result<Typed, clap::Error> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    let mut ignored = Vec::new();
    loop {
        let error = match Arguments::try_parse_from(&words) {
            Ok(arguments) => return Ok(Typed { arguments, ignored }),
            Err(error) => error,
        };
        let unknown = unknown(&error).filter(|_| is_worker);
        let Some(position) = unknown.and_then(|unknown| find(&words, &unknown)) else {
            return Err(error);
        };
        ignored.push(name(&words.remove(position)));
    }
}

/// What an error says is not known.
fn unknown(error: &clap::Error) -> Option<String> {
    let told = [
        (ErrorKind::UnknownArgument, ContextKind::InvalidArg),
        (ErrorKind::InvalidSubcommand, ContextKind::InvalidSubcommand),
    ];
    let (_, place) = told.into_iter().find(|(kind, _)| *kind == error.kind())?;
    let Some(ContextValue::String(word)) = error.get(place) else {
        return None;
    };
    Some(word.clone())
}

/// Where the words have it: alone, with a value after `=`, or as the first of several letters.
fn find(words: &[OsString], unknown: &str) -> Option<usize> {
    let is_letter = unknown.starts_with('-') && !unknown.starts_with("--");
    words
        .iter()
        .skip(1)
        .position(|word| {
            let word = word.to_string_lossy();
            word.strip_prefix(unknown)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('=') || is_letter)
        })
        .map(|position| position + 1)
}

fn name(word: &OsString) -> String {
    let word = word.to_string_lossy();
    let name = word.split('=').next().unwrap_or_default();
    if name.starts_with("--") {
        format!("{name:?}")
    } else {
        VALUE.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Command;

    fn parse(line: &str, is_worker: bool) -> Result<Typed, clap::Error> {
        super::parse(line.split(' ').map(OsString::from), is_worker)
    }

    #[test]
    fn a_worker_leaves_out_what_it_does_not_know_and_keeps_the_rest() {
        for line in [
            "runpod-query --new=secret --rp_api_port 81",
            "runpod-query --rp_api_port 81 --new secret",
            "runpod-query secret serve --rp_api_port 81 -xyz secret",
            "runpod-query serve --new --model minilm --rp_api_port=81 secret",
        ] {
            let typed = parse(line, true).unwrap_or_else(|error| panic!("{line}: {error}"));
            let port = &typed.arguments.handler.overrides()[0];
            assert_eq!(port.0, "server.port", "{line}");
            assert!(!typed.ignored.is_empty(), "{line}");
            assert!(!typed.ignored.concat().contains("secret"), "{line}");
        }
        let typed = parse("runpod-query serve --new --model minilm", true).unwrap();
        assert_eq!(typed.ignored, [r#""--new""#]);
        let Some(Command::Serve(serve)) = typed.arguments.command else {
            panic!("another command");
        };
        let overrides = Command::Serve(serve).overrides();
        assert_eq!(overrides[0].0, "model.name");
    }

    #[test]
    fn everybody_else_has_made_a_mistake() {
        for line in [
            "runpod-query --new",
            "runpod-query serve secret",
            "runpod-query sing",
        ] {
            assert!(parse(line, false).is_err(), "{line}");
        }
        // What is known must be right for a worker, too.
        assert!(parse("runpod-query --rp_api_port http", true).is_err());
    }
}
