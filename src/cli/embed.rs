//! `embed`: prints embeddings of texts, as JSON lines or as a NumPy array.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use ndarray::Array2;
use ndarray_npy::WriteNpyExt;
use serde::Serialize;

use super::load_model::{self, LoadedModel};
use super::{Failure, arguments};
use crate::config::Settings;
use crate::engine::{Call, Engine, Priority};
use model::Embedding;

#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    embedding: &'a [f32],
}

/// Embeds every text and writes all embeddings in the order of the texts.
pub fn embed(settings: &Settings, arguments: &arguments::Embed) -> Result<(), Failure> {
    let texts = texts(arguments)?;
    if let Some(blank) = texts.iter().position(|text| text.trim().is_empty()) {
        return Err(format!("text {} is blank", blank + 1).into());
    }
    let LoadedModel {
        tokenizer, encoder, ..
    } = load_model::load(settings)?;
    let dimensions = encoder.description().dimensions.get();
    let engine = Engine::spawn(encoder, Arc::new(tokenizer), &settings.engine)?;
    let embeddings = all(&engine, &texts, settings.engine.queue_texts.get())?;
    match arguments.output.as_deref() {
        None => write_lines(io::stdout().lock(), &texts, &embeddings)?,
        Some(path) if path.extension().is_some_and(|extension| extension == "npy") => {
            let flat = embeddings.concat();
            Array2::from_shape_vec((texts.len(), dimensions), flat)?.write_npy(create(path)?)?;
        }
        Some(path) => write_lines(create(path)?, &texts, &embeddings)?,
    }
    Ok(())
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
        None => arguments.texts.clone(),
    };
    if texts.is_empty() {
        return Err("there is no text to embed".into());
    }
    Ok(texts)
}

fn lines(source: impl BufRead) -> io::Result<Vec<String>> {
    source.lines().collect()
}

fn all(engine: &Engine, texts: &[String], at_once: usize) -> Result<Vec<Embedding>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let progress = progress(texts.len());
    let mut embeddings = Vec::with_capacity(texts.len());
    for piece in texts.chunks(at_once) {
        embeddings.extend(
            runtime
                .block_on(engine.embed(piece, Priority::Bulk, Call::default()))?
                .embeddings,
        );
        progress.inc(piece.len() as u64);
    }
    progress.finish_and_clear();
    Ok(embeddings)
}

fn progress(texts: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} texts {eta}");
    ProgressBar::new(texts as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file =
        File::create(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(BufWriter::new(file))
}

fn write_lines(
    mut sink: impl Write,
    texts: &[String],
    embeddings: &[Embedding],
) -> Result<(), Failure> {
    for (text, embedding) in texts.iter().zip(embeddings) {
        serde_json::to_writer(&mut sink, &Line { text, embedding })?;
        sink.write_all(b"\n")?;
    }
    sink.flush()?;
    Ok(())
}
