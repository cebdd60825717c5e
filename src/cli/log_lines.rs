//! Format of log messages: a readable line, or one JSON object as RunPod's package writes it.

use std::io::{Error, Write};

use env_logger::Builder;
use log::Record;
use log::kv::Key;
use serde::Serialize;

use crate::config::{LogFormat, Settings};

/// Fields of a message that become `requestId` in JSON, the first present one winning.
const IDS: [&str; 2] = ["job_id", "request_id"];

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
    builder.init();
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
