//! A report and a baseline with round numbers, for tests.

use serde_json::json;

use super::{
    Baseline, Batch, ColdStart, FORMAT, Latency, Memory, Model, RepeatedQuery, Report, ThreadCount,
    Throughput,
};
use crate::machine::Machine;

/// A run of a model of bge-m3's size in fp32, without the long text.
pub fn report() -> Report {
    Report {
        format: FORMAT,
        program: "runpod-query 0.0.0".to_owned(),
        quick: false,
        url: None,
        model: Some(Model {
            name: "bge-m3-synthetic".to_owned(),
            precision: "fp32".to_owned(),
            dimensions: 1024,
            matrix_bytes: Some(1_210_000_000),
        }),
        machine: Some(Machine {
            processor: Some("Some Processor".to_owned()),
            logical_processors: Some(2),
            available_threads: 2,
            instruction_sets: vec!["avx2".to_owned(), "avx512_vnni".to_owned()],
            memory_bandwidth_bytes_per_second: 24.2e9,
        }),
        token_counts_are_exact: true,
        floor_milliseconds: Some(50.0),
        latency: vec![latency(12, 75.0)],
        throughput: vec![
            throughput((12, 12), 32, 30.0),
            throughput((4, 256), 1, 5.0),
            throughput((4, 256), 8, 7.0),
        ],
        repeated_query: Some(RepeatedQuery {
            tokens: 12,
            samples: 100,
            errors: 0,
            p50_milliseconds: 0.24,
            p99_milliseconds: 0.5,
            health_check_p50_milliseconds: 0.2,
        }),
        batches: vec![batch(32.0)],
        cold_start: Some(ColdStart {
            samples: 5,
            p50_seconds: 2.1,
            slowest_seconds: 2.4,
        }),
        memory: Some(Memory {
            idle_bytes: 1_400_000_000,
            peak_bytes: 1_600_000_000,
        }),
        long_text: None,
        flood: None,
        threads: Vec::new(),
        ratios: Vec::new(),
    }
}

/// A run with one and with two threads.
pub fn threads_report() -> Report {
    let measured = |threads: usize, milliseconds: f64| ThreadCount {
        threads,
        latency: vec![latency(12, milliseconds)],
        throughput: vec![
            throughput((12, 12), 32, 1000.0 / milliseconds),
            throughput((4, 256), 8, 2.0),
        ],
    };
    Report {
        format: FORMAT,
        threads: vec![measured(1, 80.0), measured(2, 50.0)],
        ..Report::default()
    }
}

/// Two alternatives.
pub fn baseline() -> Baseline {
    let alternative = |name: &str, milliseconds: f64| {
        json!({
            "name": name,
            "latency": [latency(12, milliseconds)],
            "throughput": [throughput((12, 12), 1, 1000.0 / milliseconds)],
            "batches": [batch(16.0)],
        })
    };
    let document = json!({"format": FORMAT, "alternatives": [
        alternative("onnxruntime-torch-export", 80.0),
        alternative("sentence-transformers-pytorch", 200.0),
    ]});
    serde_json::from_value(document).unwrap()
}

fn latency(tokens: usize, milliseconds: f64) -> Latency {
    Latency {
        tokens,
        samples: 100,
        errors: 0,
        p50_milliseconds: milliseconds,
        p95_milliseconds: milliseconds * 2.0,
        p99_milliseconds: milliseconds * 3.0,
    }
}

fn throughput(
    (shortest_tokens, longest_tokens): (usize, usize),
    clients: usize,
    texts_per_second: f64,
) -> Throughput {
    Throughput {
        shortest_tokens,
        longest_tokens,
        clients,
        samples: 100,
        errors: 0,
        seconds: 10.0,
        texts_per_second,
        tokens_per_second: texts_per_second * 50.0,
        p50_milliseconds: 10.0,
        p99_milliseconds: 20.0,
    }
}

fn batch(texts_per_second: f64) -> Batch {
    Batch {
        texts: 32,
        tokens: 12,
        samples: 5,
        errors: 0,
        p50_milliseconds: 1000.0,
        texts_per_second,
    }
}
