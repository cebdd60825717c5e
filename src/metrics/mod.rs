//! Metrics for Prometheus.
//!
//! Owns the name, unit, labels and description of every metric. Imports nothing of this crate: the other modules hold
//! their group of metrics and update it. Invariant: a label has few values, and never one that a client chooses.

mod engine;
mod http;
mod query_cache;
mod queue;
mod requests;

use std::fmt;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

pub use engine::Engine;
pub use http::Http;
pub use query_cache::QueryCache;
pub use queue::QueueMetrics;
pub use requests::Requests;

/// Media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Prefix of the names of our own metrics.
const PREFIX: &str = "runpod_query";

/// The groups that exist for the whole run; clones share them. The engine starts later and has its own group.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Requests for embeddings over any transport.
    pub requests: Requests,
    /// HTTP requests.
    pub http: Http,
    /// RunPod's queue.
    pub worker: QueueMetrics,
}

impl Metrics {
    /// All metrics as OpenMetrics text.
    pub fn text(&self, engine: &Engine) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        register_process(&mut registry);
        let own = registry.sub_registry_with_prefix(PREFIX);
        self.requests.register(own);
        self.http.register(own);
        engine.register(own);
        self.worker.register(own);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// The metric whose name Prometheus's conventions define; absent if the system does not provide the value.
fn register_process(registry: &mut Registry) {
    let Some(memory) = memory_stats::memory_stats() else {
        return;
    };
    registry.register_with_unit(
        "process_resident_memory",
        "Resident memory, mapped files included",
        Unit::Bytes,
        ConstGauge::new(i64::try_from(memory.physical_mem).unwrap_or(i64::MAX)),
    );
}

/// A histogram of times between 0.1 ms and 93 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 2.5, 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_description_and_no_name_appears_twice() {
        let text = Metrics::default().text(&Engine::default()).unwrap();
        assert!(text.ends_with("# EOF\n"));
        let of = |kind: &str| -> Vec<String> {
            text.lines()
                .filter_map(|line| line.strip_prefix(kind))
                .map(|line| line.split(' ').next().unwrap().to_owned())
                .collect()
        };
        let (described, typed) = (of("# HELP "), of("# TYPE "));
        assert_eq!(described, typed);
        let mut distinct = typed.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), typed.len(), "{typed:?}");
        for name in typed {
            assert!(
                name.starts_with(PREFIX) || name == "process_resident_memory_bytes",
                "{name}"
            );
        }
    }
}
