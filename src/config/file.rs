//! The file of settings.

use std::path::{Path, PathBuf};

use config::{File, FileFormat, FileSourceString};

use super::Error;

/// What is wrong with a file that is no TOML: without the line itself, which may hold a key.
#[derive(Debug, thiserror::Error)]
#[error("{}, line {line}, column {column}: {message}", path.display())]
pub struct Syntax {
    path: PathBuf,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    message: String,
}

/// Reads a file and checks that it is TOML.
pub fn read(path: &Path) -> Result<File<FileSourceString, FileFormat>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    match toml::from_str::<toml::Table>(&text) {
        Ok(_) => Ok(File::from_str(&text, FileFormat::Toml)),
        Err(error) => Err(Error::Syntax(syntax(path, &text, &error))),
    }
}

fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Syntax {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Syntax {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        message: error.message().to_owned(),
    }
}
