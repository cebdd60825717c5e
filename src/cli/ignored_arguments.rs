//! The command line without the arguments that a worker ignores.
//!
//! RunPod may append arguments to a worker's command, and a worker that does not start costs its owner money. A worker
//! therefore ignores unknown arguments and known ones with invalid values. clap's own `ignore_errors` stops at the first
//! error and loses the arguments after it, so each argument that clap rejects is removed and the rest is parsed again.
//! Without a queue an unknown argument is an error.

use std::ffi::OsString;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::arguments::Arguments;

/// Replaces an argument that is not a flag in the log, because it may be a secret.
const VALUE: &str = "a value";

/// The parsed command line.
pub struct Typed {
    /// The accepted arguments.
    pub arguments: Arguments,
    /// Names of the ignored arguments.
    pub ignored: Vec<String>,
}

/// Parses the words of a command line, which begin with the program's name. With `is_worker`, rejected arguments are
/// ignored.
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
        let wrong = Wrong::of(&error).filter(|_| is_worker);
        let Some((start, length)) = wrong.and_then(|wrong| wrong.find(&words)) else {
            return Err(error);
        };
        ignored.push(name(&words[start]));
        words.drain(start..start + length);
    }
}

/// The argument that clap rejected.
enum Wrong {
    /// An unknown argument.
    Unknown(String),
    /// A flag with an invalid value; an empty value may be a missing one.
    Value { flag: String, value: String },
    /// A word that is not Unicode.
    NotUnicode,
}

impl Wrong {
    fn of(error: &clap::Error) -> Option<Self> {
        let context = |kind| {
            let Some(ContextValue::String(word)) = error.get(kind) else {
                return None;
            };
            Some(word.clone())
        };
        let kind = error.kind();
        if kind == ErrorKind::UnknownArgument {
            return context(ContextKind::InvalidArg).map(Self::Unknown);
        }
        if kind == ErrorKind::InvalidSubcommand {
            return context(ContextKind::InvalidSubcommand).map(Self::Unknown);
        }
        if kind == ErrorKind::InvalidUtf8 {
            return Some(Self::NotUnicode);
        }
        let is_of_value = [
            ErrorKind::InvalidValue,
            ErrorKind::ValueValidation,
            ErrorKind::TooManyValues,
        ]
        .contains(&kind);
        // clap shows the flag with the name of its value: `--flag <VALUE>`.
        let shown = context(ContextKind::InvalidArg).filter(|_| is_of_value)?;
        Some(Self::Value {
            flag: shown.split(' ').next()?.to_owned(),
            value: context(ContextKind::InvalidValue)?,
        })
    }

    /// Its position in the words, and how many words it takes.
    fn find(&self, words: &[OsString]) -> Option<(usize, usize)> {
        let length_at = |position: usize| {
            let word = words[position].to_string_lossy();
            let next = words.get(position + 1).map(|next| next.to_string_lossy());
            match self {
                Self::Unknown(unknown) => is_unknown(&word, unknown).then_some(1),
                Self::NotUnicode => words[position].to_str().is_none().then_some(1),
                Self::Value { flag, value } => match word.strip_prefix(flag.as_str())? {
                    "" if next.as_deref() == Some(value.as_str()) => Some(2),
                    "" => is_alone(next.as_deref(), value).then_some(1),
                    rest => (rest.strip_prefix('=')? == value).then_some(1),
                },
            }
        };
        (1..words.len()).find_map(|position| Some((position, length_at(position)?)))
    }
}

/// Whether a word is the unknown argument: alone, with a value after `=`, or as the first of several short flags.
fn is_unknown(word: &str, unknown: &str) -> bool {
    let is_letter = unknown.starts_with('-') && !unknown.starts_with("--");
    word.strip_prefix(unknown)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('=') || is_letter)
}

/// Whether a flag has no value, given the next word.
fn is_alone(next: Option<&str>, value: &str) -> bool {
    value.is_empty() && next.is_none_or(|next| next.starts_with('-'))
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
    fn a_worker_ignores_unknown_arguments_and_keeps_the_rest() {
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
    fn a_worker_ignores_a_flag_with_an_invalid_value_and_keeps_the_rest() {
        for (line, ignored) in [
            ("runpod-query --rp_api_port=81 --rp_log_level LOUD", 1),
            ("runpod-query --rp_log_level=LOUD --rp_api_port 81", 1),
            ("runpod-query --rp_log_level --rp_api_port 81", 1),
            ("runpod-query --rp_api_port 81 --rp_log_level", 1),
            ("runpod-query --rp_api_port 81 --rp_log_level=", 1),
            (
                "runpod-query --rp_api_port 81 --rp_log_level INFO --rp_log_level",
                1,
            ),
            (
                "runpod-query --rp_debugger=1 serve --rp_api_port 81 --threads 0",
                2,
            ),
            ("runpod-query --rp_api_port http --rp_api_port 81", 1),
            ("runpod-query serve --rp_api_port -1 --rp_api_port 81", 2),
        ] {
            let typed = parse(line, true).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(typed.ignored.len(), ignored, "{line}: {:?}", typed.ignored);
            let overrides = typed.arguments.handler.overrides();
            let port = overrides.iter().find(|(name, _)| *name == "server.port");
            let port = port.map(|(_, value)| value.to_string());
            assert_eq!(port.as_deref(), Some("81"), "{line}");
            assert!(parse(line, false).is_err(), "{line}");
        }
    }

    #[test]
    fn the_last_value_of_a_repeated_flag_counts() {
        let line = "runpod-query --rp_api_port 80 --rp_debugger --rp_debugger --rp_api_port 81";
        let overrides = parse(line, false).unwrap().arguments.handler.overrides();
        assert_eq!(overrides[0].1.to_string(), "81");
    }

    #[test]
    fn without_a_queue_an_unknown_argument_is_an_error() {
        for line in [
            "runpod-query --new",
            "runpod-query serve secret",
            "runpod-query sing",
        ] {
            assert!(parse(line, false).is_err(), "{line}");
        }
    }
}
