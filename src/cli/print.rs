//! Writing to standard output.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// The exit code after standard output was closed by its reader: a shell's for a program that SIGPIPE ended.
pub const BROKEN_PIPE: u8 = 128 + 13;

/// Writes a line.
pub fn line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Whether a command failed because the reader of its output has gone.
pub fn is_unread(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    let written = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let json = || {
        error
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind)
    };
    written.or_else(json) == Some(ErrorKind::BrokenPipe)
}
