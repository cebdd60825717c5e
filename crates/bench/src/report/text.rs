//! The report for people.

use std::fmt;

use super::table::{Table, number};
use super::targets::Direction;
use super::{ColdStart, Flood, LongText, Machine, Memory, Model, Report};

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections = [
            facts(self),
            latency(self),
            throughput(self),
            batches(self),
            server(self),
            targets(self),
        ];
        let written: Vec<String> = sections.into_iter().flatten().collect();
        write!(formatter, "{}", written.join("\n"))
    }
}

fn facts(report: &Report) -> Option<String> {
    let mut lines = Vec::new();
    lines.extend(report.model.as_ref().map(model));
    lines.extend(report.machine.as_ref().map(machine));
    lines.extend(report.floor_milliseconds.map(|floor| {
        format!(
            "floor: {} ms to read every matrix once from memory",
            number(floor)
        )
    }));
    if !report.token_counts_are_exact {
        lines
            .push("token counts are estimates: the model's tokenizer is not known here".to_owned());
    }
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

fn model(model: &Model) -> String {
    let bytes = model
        .matrix_bytes
        .map(|bytes| format!(", matrices of {}", size(bytes)));
    format!(
        "model: {} {}, {} dimensions{}",
        model.name,
        model.precision,
        model.dimensions,
        bytes.unwrap_or_default()
    )
}

fn machine(machine: &Machine) -> String {
    let name = machine.processor.as_deref().unwrap_or("unknown processor");
    format!(
        "machine: {name}, {} threads, {}, memory {} GB/s",
        machine.available_threads,
        machine.instruction_sets.join(" "),
        number(machine.memory_bandwidth_bytes_per_second / 1e9)
    )
}

fn latency(report: &Report) -> Option<String> {
    let mut table = Table::new(&[
        "one text, tokens",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "samples",
        "errors",
    ]);
    for entry in &report.latency {
        table.add(vec![
            entry.tokens.to_string(),
            number(entry.p50_milliseconds),
            number(entry.p95_milliseconds),
            number(entry.p99_milliseconds),
            entry.samples.to_string(),
            entry.errors.to_string(),
        ]);
    }
    (!report.latency.is_empty()).then(|| table.to_string())
}

fn throughput(report: &Report) -> Option<String> {
    let headings = [
        "clients x tokens",
        "texts/s",
        "tokens/s",
        "p50 ms",
        "p99 ms",
        "samples",
        "errors",
    ];
    let mut table = Table::new(&headings);
    for entry in &report.throughput {
        let lengths = if entry.shortest_tokens == entry.longest_tokens {
            entry.shortest_tokens.to_string()
        } else {
            format!("{}..{}", entry.shortest_tokens, entry.longest_tokens)
        };
        table.add(vec![
            format!("{} x {lengths}", entry.clients),
            number(entry.texts_per_second),
            number(entry.tokens_per_second),
            number(entry.p50_milliseconds),
            number(entry.p99_milliseconds),
            entry.samples.to_string(),
            entry.errors.to_string(),
        ]);
    }
    (!report.throughput.is_empty()).then(|| table.to_string())
}

fn batches(report: &Report) -> Option<String> {
    let mut table = Table::new(&[
        "batch, texts x tokens",
        "p50 ms",
        "texts/s",
        "samples",
        "errors",
    ]);
    for entry in &report.batches {
        table.add(vec![
            format!("{} x {}", entry.texts, entry.tokens),
            number(entry.p50_milliseconds),
            number(entry.texts_per_second),
            entry.samples.to_string(),
            entry.errors.to_string(),
        ]);
    }
    (!report.batches.is_empty()).then(|| table.to_string())
}

fn server(report: &Report) -> Option<String> {
    let mut lines = Vec::new();
    lines.extend(report.cold_start.as_ref().map(cold_start));
    lines.extend(report.memory.as_ref().map(memory));
    lines.extend(report.long_text.as_ref().map(long_text));
    lines.extend(report.flood.as_ref().map(flood));
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

fn cold_start(start: &ColdStart) -> String {
    format!(
        "start to first vector: p50 {} s, slowest {} s, {} starts",
        number(start.p50_seconds),
        number(start.slowest_seconds),
        start.samples
    )
}

fn memory(memory: &Memory) -> String {
    let (idle, peak) = (size(memory.idle_bytes), size(memory.peak_bytes));
    format!("resident memory: {idle} idle, {peak} at the peak")
}

fn long_text(text: &LongText) -> String {
    let extra = text
        .extra_bytes
        .map(|bytes| format!(", {} more memory", size(bytes)));
    let seconds = number(text.milliseconds / 1000.0);
    format!(
        "one text of {} tokens: {seconds} s{}",
        text.tokens,
        extra.unwrap_or_default()
    )
}

fn flood(flood: &Flood) -> String {
    format!(
        "queries while {} clients send texts of {} tokens: p50 {} s, slowest {} s, {} samples, {} errors",
        flood.clients,
        flood.tokens,
        number(flood.p50_milliseconds / 1000.0),
        number(flood.slowest_milliseconds / 1000.0),
        flood.samples,
        flood.errors
    )
}

fn targets(report: &Report) -> Option<String> {
    let mut table = Table::new(&["target", "limit", "measured", "unit", "met"]);
    for target in &report.targets {
        let sign = match target.direction {
            Direction::AtMost => "<=",
            Direction::AtLeast => ">=",
        };
        let met = match target.met {
            Some(true) => "yes".to_owned(),
            Some(false) => "NO".to_owned(),
            None => format!("needs {}", target.needs.unwrap_or_default()),
        };
        table.add(vec![
            target.name.to_owned(),
            format!("{sign} {}", number(target.limit)),
            target.measured.map_or_else(|| "-".to_owned(), number),
            target.unit.to_owned(),
            met,
        ]);
    }
    (!report.targets.is_empty()).then(|| table.to_string())
}

fn size(bytes: u64) -> String {
    const MEGA: f64 = 1e6;
    let bytes = bytes as f64;
    if bytes < 1000.0 * MEGA {
        format!("{} MB", number(bytes / MEGA))
    } else {
        format!("{} GB", number(bytes / (1000.0 * MEGA)))
    }
}

#[cfg(test)]
mod tests {
    use crate::report::examples::{baseline, report};

    #[test]
    fn people_see_every_section_in_aligned_columns() {
        let mut report = report();
        report.compare(Some(&baseline()));
        let text = report.to_string();
        for words in [
            "model: bge-m3-synthetic fp32, 1024 dimensions, matrices of 1.21 GB",
            "machine: Some Processor, 2 threads, avx2 avx512_vnni, memory 24.2 GB/s",
            "floor: 50.0 ms",
            "12                  75.0",
            "8 x 4..256",
            "32 x 12",
            "start to first vector: p50 2.10 s",
            "resident memory: 1.40 GB idle, 1.60 GB at the peak",
            "<= 1.35      1.50",
            "needs --long",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }

    #[test]
    fn the_document_for_machines_keeps_its_field_names() {
        let mut report = report();
        report.compare(None);
        let document = serde_json::to_value(report).unwrap();
        for pointer in [
            "/format",
            "/model/matrix_bytes",
            "/machine/memory_bandwidth_bytes_per_second",
            "/floor_milliseconds",
            "/latency/0/p99_milliseconds",
            "/throughput/0/tokens_per_second",
            "/batches/0/texts_per_second",
            "/cold_start/p50_seconds",
            "/memory/idle_bytes",
            "/targets/0/limit",
        ] {
            assert!(
                document
                    .pointer(pointer)
                    .is_some_and(|value| value.is_number()),
                "{pointer}"
            );
        }
        assert_eq!(document["targets"][0]["direction"], "at_most");
    }
}
