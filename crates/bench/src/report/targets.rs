//! What was aimed at for bge-m3, and whether this run met it.
//!
//! Owns the table of targets. Ratios compare numbers of one machine; seconds and bytes are those of two recent server
//! cores. What this run did not measure is neither met nor missed.

use serde::Serialize;

use super::Report;
use super::baseline::{self, Baseline};
use crate::measure::{BATCH_OF_QUERIES, MIXED_LENGTHS, QUERY_LENGTHS, QUERY_TOKENS};
use crate::synthetic;

/// Models that the targets are for.
const MODELS: [&str; 2] = ["bge-m3", synthetic::NAME];

/// One target and what this run says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// What is compared.
    pub name: &'static str,
    /// Unit of both numbers; `ratio` for none.
    pub unit: &'static str,
    /// On which side of the limit the target is met.
    pub direction: Direction,
    /// The limit.
    pub limit: f64,
    /// What was measured.
    pub measured: Option<f64>,
    /// Whether the target was met.
    pub met: Option<bool>,
    /// What the comparison needs, where nothing was measured.
    pub needs: Option<&'static str>,
}

/// On which side of its limit a target is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// At the limit or below.
    AtMost,
    /// At the limit or above.
    AtLeast,
}

struct Rule {
    name: &'static str,
    unit: &'static str,
    direction: Direction,
    fp32: f64,
    int8: f64,
    measured: fn(&Report, Option<&Baseline>) -> Option<f64>,
    needs: &'static str,
}

const RULES: [Rule; 10] = [
    Rule {
        name: "p50 of one 12-token query, against the floor",
        unit: "ratio",
        direction: Direction::AtMost,
        fp32: 1.35,
        int8: 1.6,
        measured: |report, _| Some(query_milliseconds(report)? / report.floor_milliseconds?),
        needs: "the model directory, on this machine",
    },
    Rule {
        name: "the same, against ONNX Runtime on PyTorch's export",
        unit: "ratio",
        direction: Direction::AtMost,
        fp32: 0.95,
        int8: 0.28,
        measured: |report, baseline| against(report, baseline?, baseline::ONNX_RUNTIME),
        needs: "--baseline",
    },
    Rule {
        name: "the same, against sentence-transformers on PyTorch",
        unit: "ratio",
        direction: Direction::AtMost,
        fp32: 0.5,
        int8: 0.15,
        measured: |report, baseline| against(report, baseline?, baseline::PYTORCH),
        needs: "--baseline",
    },
    Rule {
        name: "texts/s of 32 clients, 12 tokens, against ONNX Runtime on PyTorch's export one by one",
        unit: "ratio",
        direction: Direction::AtLeast,
        fp32: 2.3,
        int8: 9.0,
        measured: |report, baseline| {
            let ours = report.throughput_of(QUERY_LENGTHS, 32)?.texts_per_second;
            let theirs = baseline?.alternative(baseline::ONNX_RUNTIME)?;
            Some(
                ours / super::throughput_of(&theirs.throughput, QUERY_LENGTHS, 1)?.texts_per_second,
            )
        },
        needs: "--baseline",
    },
    Rule {
        name: "tokens/s of 8 clients, 4 to 256 tokens, against one client",
        unit: "ratio",
        direction: Direction::AtLeast,
        fp32: 1.3,
        int8: 1.3,
        measured: |report, _| {
            let of = |clients| report.throughput_of(MIXED_LENGTHS, clients);
            Some(of(8)?.tokens_per_second / of(1)?.tokens_per_second)
        },
        needs: "a model that takes 256 tokens",
    },
    Rule {
        name: "texts/s in a batch of 32 x 12, against ONNX Runtime on PyTorch's export",
        unit: "ratio",
        direction: Direction::AtLeast,
        fp32: 1.05,
        int8: 4.2,
        measured: |report, baseline| {
            let (texts, tokens) = BATCH_OF_QUERIES;
            let ours = report.batch_of(texts, tokens)?.texts_per_second;
            let theirs = baseline?.alternative(baseline::ONNX_RUNTIME)?;
            Some(ours / super::batch_of(&theirs.batches, texts, tokens)?.texts_per_second)
        },
        needs: "--baseline",
    },
    Rule {
        name: "process start to first vector over HTTP",
        unit: "seconds",
        direction: Direction::AtMost,
        fp32: 2.5,
        int8: 1.0,
        measured: |report, _| Some(report.cold_start.as_ref()?.p50_seconds),
        needs: "a server of its own",
    },
    Rule {
        name: "resident memory, idle after warm-up",
        unit: "gigabytes",
        direction: Direction::AtMost,
        fp32: 1.5,
        int8: 0.55,
        measured: |report, _| Some(gigabytes(report.memory.as_ref()?.idle_bytes)),
        needs: "a server of its own, on Linux",
    },
    Rule {
        name: "extra memory at the peak of one text of 8,192 tokens",
        unit: "gigabytes",
        direction: Direction::AtMost,
        fp32: 1.2,
        int8: 1.2,
        measured: |report, _| Some(gigabytes(report.long_text.as_ref()?.extra_bytes?)),
        needs: "--long",
    },
    Rule {
        name: "slowest query while 8 clients send texts of 2,048 tokens",
        unit: "seconds",
        direction: Direction::AtMost,
        fp32: 5.0,
        int8: 5.0,
        measured: |report, _| Some(report.flood.as_ref()?.slowest_milliseconds / 1000.0),
        needs: "--long",
    },
];

/// Every target of the report's model and precision.
pub fn compare(report: &Report, baseline: Option<&Baseline>) -> Vec<Target> {
    let Some(model) = &report.model else {
        return Vec::new();
    };
    let limit: fn(&Rule) -> f64 = match (MODELS.contains(&model.name.as_str()), &*model.precision) {
        (true, "fp32") => |rule| rule.fp32,
        (true, "int8") => |rule| rule.int8,
        _ => return Vec::new(),
    };
    let compare = |rule: &Rule| rule.compare(limit(rule), (rule.measured)(report, baseline));
    RULES.iter().map(compare).collect()
}

impl Rule {
    fn compare(&self, limit: f64, measured: Option<f64>) -> Target {
        let met = measured.map(|measured| match self.direction {
            Direction::AtMost => measured <= limit,
            Direction::AtLeast => measured >= limit,
        });
        Target {
            name: self.name,
            unit: self.unit,
            direction: self.direction,
            limit,
            measured,
            met,
            needs: measured.is_none().then_some(self.needs),
        }
    }
}

fn query_milliseconds(report: &Report) -> Option<f64> {
    Some(report.latency_of(QUERY_TOKENS)?.p50_milliseconds)
}

fn against(report: &Report, baseline: &Baseline, name: &str) -> Option<f64> {
    let theirs = super::latency_of(&baseline.alternative(name)?.latency, QUERY_TOKENS)?;
    Some(query_milliseconds(report)? / theirs.p50_milliseconds)
}

fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::examples::{baseline, report};

    #[test]
    fn targets_are_met_missed_or_not_measured() {
        let targets = compare(&report(), Some(&baseline()));
        let of = |words: &str| {
            let found = targets.iter().find(|target| target.name.contains(words));
            found.unwrap()
        };
        let floor = of("floor");
        assert_eq!((floor.measured, floor.met), (Some(1.5), Some(false)));
        let alternative = of("sentence-transformers");
        assert_eq!(
            (alternative.measured, alternative.met),
            (Some(0.375), Some(true))
        );
        let clients = of("8 clients");
        assert_eq!((clients.measured, clients.met), (Some(1.4), Some(true)));
        let batch = of("batch of 32");
        assert_eq!((batch.measured, batch.met), (Some(2.0), Some(true)));
        let long = of("8,192");
        assert_eq!(
            (long.measured, long.met, long.needs),
            (None, None, Some("--long"))
        );
    }

    #[test]
    fn without_alternatives_their_rows_say_what_they_need() {
        let targets = compare(&report(), None);
        let needs = targets
            .iter()
            .filter(|target| target.needs == Some("--baseline"));
        assert_eq!(needs.count(), 4);
    }

    #[test]
    fn another_model_has_no_targets() {
        let mut report = report();
        report.model.as_mut().unwrap().name = "minilm".to_owned();
        assert!(compare(&report, None).is_empty());
        report.model = None;
        assert!(compare(&report, None).is_empty());
    }
}
