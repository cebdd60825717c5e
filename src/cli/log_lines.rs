//! The log: which messages are written, and their format, a readable line or one JSON object as RunPod's package writes it.
//!
//! Invariant: no filter brings a library to write a text, a header or an address.

use std::io::{Error, Write};

use env_logger::Builder;
use log::kv::Key;
use log::{LevelFilter, Log, Metadata, Record};
use serde::Serialize;

use crate::config::{LogFormat, Settings};

/// Fields of a message that become `requestId` in JSON, the first present one winning.
const IDS: [&str; 2] = ["job_id", "request_id"];

/// Libraries whose errors show the host that they connect to.
const CLIENTS: [&str; 3] = ["hyper", "reqwest", "rustls"];
/// The level below which libraries show texts, headers and addresses.
const LIBRARIES: LevelFilter = LevelFilter::Info;
/// The crates of this project.
const OWN: [&str; 4] = ["runpod_query", "model", "kernels", "bench"];

/// A message with the field names of RunPod's package.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    request_id: Option<String>,
    message: String,
    level: &'a str,
}

impl<'a> Line<'a> {
    fn new(record: &Record<'a>) -> Self {
        let pairs = record.key_values();
        let mut ids = IDS.into_iter().map(|id| pairs.get(Key::from_str(id)));
        Self {
            request_id: ids.find_map(|id| Some(id?.to_string())),
            message: record.args().to_string(),
            level: record.level().as_str(),
        }
    }
}

/// Installs the logger.
pub fn start(settings: &Settings) {
    let mut builder = Builder::new();
    builder.parse_filters(&settings.log.filter);
    match settings.log_format() {
        LogFormat::Text => builder.format_timestamp_millis(),
        LogFormat::Json => builder.format(|formatter, record| write_json(formatter, record)),
    };
    let logger = builder.build();
    log::set_max_level(logger.filter());
    // It fails where a logger is installed already.
    let _ = log::set_boxed_logger(Box::new(Discreet(logger)));
}

/// A logger that leaves out what no filter may bring into the log.
struct Discreet(env_logger::Logger);

impl Log for Discreet {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_discreet(metadata) && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if is_discreet(record.metadata()) {
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn is_discreet(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let library = target.split("::").next().unwrap_or_default();
    OWN.contains(&library)
        || metadata.level() <= LIBRARIES
            && !CLIENTS.iter().any(|client| library.starts_with(client))
}

fn write_json(mut writer: impl Write, record: &Record<'_>) -> Result<(), Error> {
    serde_json::to_writer(&mut writer, &Line::new(record))?;
    writeln!(writer)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(pairs: &[(&str, &str)]) -> Value {
        let mut line = Vec::new();
        let record = Record::builder()
            .args(format_args!("a \"message\"\nof two lines"))
            .level(log::Level::Warn)
            .key_values(&pairs)
            .build();
        write_json(&mut line, &record).unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn a_message_is_one_line_with_the_id_of_its_job_or_request() {
        let message = "a \"message\"\nof two lines";
        assert_eq!(
            written(&[]),
            json!({"requestId": null, "message": message, "level": "WARN"})
        );
        assert_eq!(written(&[("request_id", "r")])["requestId"], "r");
        let both = [("request_id", "r"), ("job_id", "j")];
        assert_eq!(written(&both)["requestId"], "j");
    }
}
