//! The real program as a worker of RunPod's queue, with a local platform that has scripted faults.

mod duplicates;
mod endurance;
mod payloads;
mod platform_check;
mod protocol;
mod results;
mod shutdown;
mod start;
mod stop;
mod takes;
mod unloadable;

use serde_json::{Value, json};

/// Texts of a long job.
const LONG_TEXTS: usize = 60;

/// A job that needs no inference.
fn health_check() -> Value {
    json!({"action": "health_check"})
}

/// The result of a health check.
fn healthy() -> Value {
    json!({"output": {"status": "ok", "endpoint": "query", "runtime": "onnx-cpu"}})
}

/// A job of about a second: tokenizing this many words takes long with any model.
fn long_job() -> Value {
    long_job_of(LONG_TEXTS)
}

/// A job that still runs when the test checks it.
fn longer_job() -> Value {
    long_job_of(LONG_TEXTS * 5)
}

fn long_job_of(texts: usize) -> Value {
    let text = "What is machine learning? ".repeat(2_000);
    // Equal texts would be computed once.
    let texts = (0..texts).map(|number| format!("{number} {text}"));
    json!({"action": "embed_batch", "texts": texts.collect::<Vec<_>>()})
}
