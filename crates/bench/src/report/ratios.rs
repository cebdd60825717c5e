//! Ratios of a run's measurements to its lower bound and to alternatives.
//!
//! A ratio is absent if one of its two numbers was not measured. Alternatives must be measured on the same machine.

use super::baseline::{Alternative, Baseline};
use super::document::{Latency, Ratio, Report, batch_of, latency_of, throughput_of};
use crate::workload::{BATCH_OF_QUERIES, MIXED_LENGTHS, QUERY_LENGTHS, QUERY_TOKENS};

const QUERY: &str = "p50 of one query of 12 tokens";
const REPEATED_QUERY: &str = "p50 of a repeated query";
const CLIENTS: &str = "texts/s of 32 clients, 12 tokens";
const MIXED_CLIENTS: &str = "tokens/s of 8 clients, 4 to 256 tokens";
const BATCH: &str = "texts/s of a batch of 32 x 12 tokens";

/// Every ratio that the report and the baseline allow.
pub fn ratios(report: &Report, baseline: Option<&Baseline>) -> Vec<Ratio> {
    let repeated = report.repeated_query.as_ref();
    let own = [
        ratio(
            QUERY,
            "the floor",
            query(&report.latency),
            report.floor_milliseconds,
        ),
        ratio(
            MIXED_CLIENTS,
            "1 client",
            mixed_tokens(report, 8),
            mixed_tokens(report, 1),
        ),
        ratio(
            REPEATED_QUERY,
            "a health check",
            repeated.map(|query| query.p50_milliseconds),
            repeated.map(|query| query.health_check_p50_milliseconds),
        ),
    ];
    let alternatives = baseline.into_iter().flat_map(Baseline::alternatives);
    own.into_iter()
        .chain(alternatives.flat_map(|alternative| against(report, alternative)))
        .flatten()
        .collect()
}

fn against(report: &Report, alternative: &Alternative) -> [Option<Ratio>; 3] {
    let (texts, tokens) = BATCH_OF_QUERIES;
    let batch = |batches| Some(batch_of(batches, texts, tokens)?.texts_per_second);
    let texts_of = |throughput, clients| {
        Some(throughput_of(throughput, QUERY_LENGTHS, clients)?.texts_per_second)
    };
    let name = &alternative.name;
    [
        ratio(
            QUERY,
            name,
            query(&report.latency),
            query(&alternative.latency),
        ),
        ratio(
            CLIENTS,
            &format!("{name}, one text at a time"),
            texts_of(&report.throughput, 32),
            texts_of(&alternative.throughput, 1),
        ),
        ratio(
            BATCH,
            name,
            batch(&report.batches),
            batch(&alternative.batches),
        ),
    ]
}

fn query(latency: &[Latency]) -> Option<f64> {
    Some(latency_of(latency, QUERY_TOKENS)?.p50_milliseconds)
}

fn mixed_tokens(report: &Report, clients: usize) -> Option<f64> {
    Some(throughput_of(&report.throughput, MIXED_LENGTHS, clients)?.tokens_per_second)
}

fn ratio(
    measurement: &'static str,
    against: &str,
    measured: Option<f64>,
    divisor: Option<f64>,
) -> Option<Ratio> {
    Some(Ratio {
        measurement,
        against: against.to_owned(),
        ratio: measured? / divisor?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::examples::{baseline, report};

    fn found(ratios: &[Ratio], measurement: &str, against: &str) -> f64 {
        let ratio = ratios.iter().find(|ratio| {
            ratio.measurement.contains(measurement) && ratio.against.contains(against)
        });
        ratio.unwrap().ratio
    }

    #[test]
    fn measurements_are_divided_by_the_floor_and_by_every_alternative() {
        let ratios = ratios(&report(), Some(&baseline()));
        assert_eq!(found(&ratios, QUERY, "floor"), 1.5);
        assert_eq!(found(&ratios, QUERY, "sentence-transformers"), 0.375);
        assert_eq!(found(&ratios, QUERY, "onnxruntime"), 0.9375);
        assert_eq!(found(&ratios, CLIENTS, "onnxruntime"), 2.4);
        assert_eq!(found(&ratios, MIXED_CLIENTS, "1 client"), 1.4);
        assert_eq!(found(&ratios, BATCH, "onnxruntime"), 2.0);
        assert!((found(&ratios, REPEATED_QUERY, "health check") - 1.2).abs() < 1e-9);
        assert_eq!(ratios.len(), 9);
    }

    #[test]
    fn a_ratio_is_absent_if_one_of_its_numbers_was_not_measured() {
        assert_eq!(ratios(&report(), None).len(), 3);
        let mut report = report();
        report.floor_milliseconds = None;
        report.throughput.clear();
        report.repeated_query = None;
        assert_eq!(ratios(&report, None), []);
    }
}
