//! The report's table of numbers of threads.

use super::document::{Report, latency_of, throughput_of};
use super::text::{lines, number, table};
use crate::workload::{QUERY_LENGTHS, QUERY_TOKENS};

/// One row for each number of threads.
pub fn section(report: &Report) -> Option<String> {
    let headings = [
        "threads",
        "12 tokens, p50 ms",
        "128 tokens, p50 ms",
        "32 clients, 12 tokens, texts/s",
        "8 clients, mixed lengths, tokens/s",
    ];
    let shown = |value: Option<f64>| value.map(number).unwrap_or_default();
    let rows = report.threads.iter().map(|entry| {
        let p50 = |tokens| Some(latency_of(&entry.latency, tokens)?.p50_milliseconds);
        let queries = throughput_of(&entry.throughput, QUERY_LENGTHS, 32);
        let mixed = entry
            .throughput
            .iter()
            .find(|load| load.shortest_tokens != load.longest_tokens && load.clients == 8);
        [
            entry.threads.to_string(),
            shown(p50(QUERY_TOKENS)),
            shown(p50(128)),
            shown(queries.map(|load| load.texts_per_second)),
            shown(mixed.map(|load| load.tokens_per_second)),
        ]
    });
    Some(lines(&table(headings, rows)?))
}

#[cfg(test)]
mod tests {
    use crate::report::examples::threads_report;

    #[test]
    fn numbers_of_threads_are_rows_of_one_table() {
        let text = threads_report().to_string();
        for (threads, query, texts) in [("1", "80.0", "12.5"), ("2", "50.0", "20.0")] {
            let row = text.lines().find(|line| line.starts_with(threads));
            let cells: Vec<&str> = row.unwrap().split_whitespace().collect();
            assert_eq!(cells, [threads, query, texts, "100"], "{text}");
        }
    }
}
