//! `embed`: prints embeddings of texts, as JSON lines or as a NumPy array.
//!
//! Lines are written as they are computed, so that an error loses none that came before it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::sync::Arc;

use futures_util::future::join_all;
use indicatif::{ProgressBar, ProgressStyle};

use super::embed_output::{Output, is_array};
use super::load_model::{self, LoadedModel};
use super::{Failure, arguments};
use crate::config::Settings;
use crate::engine::{self, Call, Engine, Priority, Task};
use crate::service::with_causes;
use model::{Encoded, Outputs};

/// Texts after which embeddings are written.
const TEXTS_AT_ONCE: usize = 256;
/// Blank lines that a message names; of more it gives the number.
const NAMED_LINES: usize = 10;

/// Embeds every text and writes all embeddings in the order of the texts.
pub fn embed(settings: &Settings, arguments: &arguments::Embed) -> Result<(), Failure> {
    let mut texts = texts(arguments)?;
    if let Some(message) = blank_lines(&texts, arguments.skip_blank) {
        log::warn!("{message}");
    }
    if arguments.skip_blank {
        texts.retain(|text| !is_blank(text));
    }
    let LoadedModel {
        tokenizer, encoder, ..
    } = load_model::load(settings)?;
    let outputs = outputs(arguments, encoder.outputs())?;
    let dimensions = encoder.description().dimensions.get();
    let engine = Engine::spawn(encoder, Arc::new(tokenizer), &settings.engine)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut output = Output::open(arguments.output.as_deref(), dimensions)?;
    let progress = progress(texts.len());
    let mut failure = None;
    let mut written = 0;
    for texts in texts.chunks(TEXTS_AT_ONCE) {
        let encoded = texts.iter().map(|text| encoded(&engine, text, outputs));
        let encoded = runtime.block_on(join_all(encoded)).into_iter();
        let before: Vec<_> = encoded
            .map_while(|encoded| encoded.map_err(|error| failure = Some(error)).ok())
            .collect();
        written += before.len();
        output.write(texts, before)?;
        progress.set_position(written as u64);
        if failure.is_some() {
            break;
        }
    }
    progress.finish_and_clear();
    output.finish()?;
    match failure {
        None => Ok(()),
        Some(error) => Err(format!(
            "text {} cannot be embedded: {}; those before it are written",
            written + 1,
            with_causes(&error)
        )
        .into()),
    }
}

/// What a text is turned into; nothing for a blank one.
async fn encoded(
    engine: &Engine,
    text: &str,
    outputs: Outputs,
) -> Result<Option<Encoded>, engine::Error> {
    if is_blank(text) {
        return Ok(None);
    }
    // A call of its own, so that a text that fails takes no other with it.
    let task = Task {
        outputs,
        ..Task::from(vec![text.to_owned()])
    };
    // In the background: it waits for room in the queue.
    let embedded = engine
        .embed(task, Priority::Bulk, Call::background())
        .await?;
    Ok(embedded.into_encoded().next())
}

/// The outputs to compute, which the model must give; an array holds dense vectors alone.
fn outputs(arguments: &arguments::Embed, served: Outputs) -> Result<Outputs, Failure> {
    let outputs: Outputs = arguments.outputs.iter().copied().collect();
    if let Some(missing) = outputs.missing_from(served) {
        let (missing, served) = (missing.as_str(), served.names());
        return Err(format!("--outputs has {missing}; this model gives {served} only").into());
    }
    let is_array = arguments.output.as_deref().is_some_and(is_array);
    if is_array && outputs != Outputs::DENSE {
        return Err("an .npy file holds dense vectors alone; --outputs asks for more".into());
    }
    Ok(outputs)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// What to say about the blank lines, if there are any.
fn blank_lines(texts: &[String], are_skipped: bool) -> Option<String> {
    let lines = texts.iter().enumerate().filter(|(_, text)| is_blank(text));
    let lines: Vec<String> = lines.map(|(index, _)| (index + 1).to_string()).collect();
    let fate = match are_skipped {
        true => "left out",
        false => "written without an embedding",
    };
    match lines.len() {
        0 => None,
        1 => Some(format!("line {} is blank and {fate}", lines[0])),
        count => {
            let dots = if count > NAMED_LINES { ", ..." } else { "" };
            let named = lines[..count.min(NAMED_LINES)].join(", ");
            Some(format!("{count} lines are blank and {fate}: {named}{dots}"))
        }
    }
}

fn texts(arguments: &arguments::Embed) -> Result<Vec<String>, Failure> {
    let texts = match &arguments.input {
        Some(path) => {
            let file = File::open(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            lines(BufReader::new(file))
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?
        }
        None if arguments.texts.is_empty() => lines(io::stdin().lock())
            .map_err(|error| format!("cannot read standard input: {error}"))?,
        None => match arguments.texts.iter().position(|text| is_blank(text)) {
            Some(blank) => return Err(format!("text {} is blank", blank + 1).into()),
            None => arguments.texts.clone(),
        },
    };
    if texts.is_empty() {
        return Err("there is no text to embed".into());
    }
    Ok(texts)
}

/// The lines without a byte order mark, with which some editors begin a file.
fn lines(source: impl BufRead) -> io::Result<Vec<String>> {
    let mut lines: Vec<String> = source.lines().collect::<Result<_, _>>()?;
    if let Some(first) = lines.first_mut()
        && let Some(text) = first.strip_prefix('\u{feff}')
    {
        *first = text.to_owned();
    }
    Ok(lines)
}

fn progress(texts: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} texts {eta}");
    ProgressBar::new(texts as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
