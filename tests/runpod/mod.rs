//! The real program as a worker of RunPod's queue, against a platform of our own that misbehaves by script.

mod beginning;
mod duplicates;
mod ending;
mod endurance;
mod payloads;
mod protocol;
mod rehearsal;
mod results;
mod stop;
mod takes;

use serde_json::{Value, json};

/// Texts of a long job.
const LONG_TEXTS: usize = 60;

/// A job that costs nothing.
fn health_check() -> Value {
    json!({"action": "health_check"})
}

/// What a health check is answered with.
fn healthy() -> Value {
    json!({"output": {"status": "ok", "endpoint": "query", "runtime": "onnx-cpu"}})
}

/// A job of about a second: so many words that splitting them takes a while, whatever the model.
fn long_job() -> Value {
    long_job_of(LONG_TEXTS)
}

/// A job that is certain to run still when the test comes to its point.
fn longer_job() -> Value {
    long_job_of(LONG_TEXTS * 5)
}

fn long_job_of(texts: usize) -> Value {
    let text = "What is machine learning? ".repeat(2_000);
    json!({"action": "embed_batch", "texts": vec![text; texts]})
}
