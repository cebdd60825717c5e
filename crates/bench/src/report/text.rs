//! The report as text for a terminal.
//!
//! Invariant: what was not measured is left out.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};

use super::document::{ColdStart, Flood, LongText, Memory, Model, RepeatedQuery, Report};
use super::threads_table;
use crate::machine::Machine;

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections = [
            facts(self),
            latency(self),
            throughput(self),
            batches(self),
            server(self),
            threads_table::section(self),
            ratios(self),
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
            "floor: {} ms to read all weights once from memory",
            number(floor)
        )
    }));
    if !report.token_counts_are_exact {
        lines.push(
            "token counts are estimates, because the model's tokenizer is not known".to_owned(),
        );
    }
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

fn model(model: &Model) -> String {
    let bytes = model
        .matrix_bytes
        .map(|bytes| format!(", weights of {}", size(bytes)));
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
    let headings = [
        "one text, tokens",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "samples",
        "errors",
    ];
    let rows = report.latency.iter().map(|entry| {
        [
            entry.tokens.to_string(),
            number(entry.p50_milliseconds),
            number(entry.p95_milliseconds),
            number(entry.p99_milliseconds),
            entry.samples.to_string(),
            entry.errors.to_string(),
        ]
    });
    Some(lines(&table(headings, rows)?))
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
    let rows = report.throughput.iter().map(|entry| {
        let lengths = if entry.shortest_tokens == entry.longest_tokens {
            entry.shortest_tokens.to_string()
        } else {
            format!("{}..{}", entry.shortest_tokens, entry.longest_tokens)
        };
        [
            format!("{} x {lengths}", entry.clients),
            number(entry.texts_per_second),
            number(entry.tokens_per_second),
            number(entry.p50_milliseconds),
            number(entry.p99_milliseconds),
            entry.samples.to_string(),
            entry.errors.to_string(),
        ]
    });
    Some(lines(&table(headings, rows)?))
}

fn batches(report: &Report) -> Option<String> {
    let headings = [
        "batch, texts x tokens",
        "p50 ms",
        "texts/s",
        "samples",
        "errors",
    ];
    let rows = report.batches.iter().map(|entry| {
        [
            format!("{} x {}", entry.texts, entry.tokens),
            number(entry.p50_milliseconds),
            number(entry.texts_per_second),
            entry.samples.to_string(),
            entry.errors.to_string(),
        ]
    });
    Some(lines(&table(headings, rows)?))
}

fn server(report: &Report) -> Option<String> {
    let mut lines = Vec::new();
    lines.extend(report.repeated_query.as_ref().map(repeated_query));
    lines.extend(report.cold_start.as_ref().map(cold_start));
    lines.extend(report.memory.as_ref().map(memory));
    lines.extend(report.long_text.as_ref().map(long_text));
    lines.extend(report.flood.as_ref().map(flood));
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

fn repeated_query(query: &RepeatedQuery) -> String {
    format!(
        "one query of {} tokens, asked again: p50 {} ms, p99 {} ms, health check p50 {} ms, {} samples, {} errors",
        query.tokens,
        number(query.p50_milliseconds),
        number(query.p99_milliseconds),
        number(query.health_check_p50_milliseconds),
        query.samples,
        query.errors
    )
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
        .map(|bytes| format!(", {} of memory", size(bytes)));
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

fn ratios(report: &Report) -> Option<String> {
    let rows = report.ratios.iter().map(|ratio| {
        [
            ratio.measurement.to_owned(),
            format!("{} x", number(ratio.ratio)),
            ratio.against.clone(),
        ]
    });
    let mut table = table(["ratio", "", "against"], rows)?;
    if let Some(against) = table.column_mut(2) {
        against.set_cell_alignment(CellAlignment::Left);
    }
    Some(lines(&table))
}

/// A table of aligned columns: the first is text, the others are numbers. `None` without rows.
pub fn table<const COLUMNS: usize>(
    headings: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> Option<Table> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings);
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        if index == 0 {
            column.set_padding((0, 0));
        } else {
            column.set_padding((2, 0));
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    (!table.is_empty()).then_some(table)
}

/// The table's lines, without white space at their ends.
pub fn lines(table: &Table) -> String {
    table.trim_fmt() + "\n"
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

/// A number with at least three significant digits.
pub fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::examples::{baseline, report};
    use crate::report::ratios;

    #[test]
    fn the_text_has_every_section_in_aligned_columns() {
        let mut report = report();
        report.ratios = ratios(&report, Some(&baseline()));
        let text = report.to_string();
        for words in [
            "model: bge-m3-synthetic fp32, 1024 dimensions, weights of 1.21 GB",
            "machine: Some Processor, 2 threads, avx2 avx512_vnni, memory 24.2 GB/s",
            "floor: 50.0 ms",
            "12                  75.0",
            "8 x 4..256",
            "32 x 12",
            "one query of 12 tokens, asked again: p50 0.24 ms, p99 0.50 ms, health check p50 0.20 ms",
            "start to first vector: p50 2.10 s",
            "resident memory: 1.40 GB idle, 1.60 GB at the peak",
            "p50 of one query of 12 tokens           1.50 x  the floor",
            "0.38 x  sentence-transformers-pytorch",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }

    #[test]
    fn the_document_keeps_its_field_names() {
        let mut report = report();
        report.ratios = ratios(&report, None);
        let document = serde_json::to_value(report).unwrap();
        for pointer in [
            "/format",
            "/model/matrix_bytes",
            "/machine/memory_bandwidth_bytes_per_second",
            "/floor_milliseconds",
            "/latency/0/p99_milliseconds",
            "/throughput/0/tokens_per_second",
            "/repeated_query/health_check_p50_milliseconds",
            "/batches/0/texts_per_second",
            "/cold_start/p50_seconds",
            "/memory/idle_bytes",
            "/ratios/0/ratio",
        ] {
            assert!(
                document
                    .pointer(pointer)
                    .is_some_and(|value| value.is_number()),
                "{pointer}"
            );
        }
        assert_eq!(document["ratios"][0]["against"], "the floor");
    }

    #[test]
    fn numbers_have_three_digits() {
        for (value, text) in [
            (1234.5, "1234"),
            (99.96, "100.0"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.0, "0.00"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
