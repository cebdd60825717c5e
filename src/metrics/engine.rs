//! Metrics of the engine: its queue, its batches and its cache of queries.

use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::{QueryCache, seconds};

/// The engine's metrics; clones share them.
#[derive(Debug, Clone)]
pub struct Engine {
    queued_texts: Gauge,
    queued_calls: Gauge,
    running_texts: Gauge,
    tokenization: Histogram,
    queue: Histogram,
    inference: Histogram,
    batch_texts: Histogram,
    batch_tokens: Histogram,
    query_cache: QueryCache,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            queued_texts: Gauge::default(),
            queued_calls: Gauge::default(),
            running_texts: Gauge::default(),
            tokenization: seconds(),
            queue: seconds(),
            inference: seconds(),
            batch_texts: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            batch_tokens: Histogram::new(exponential_buckets(4.0, 2.0, 12)),
            query_cache: QueryCache::default(),
        }
    }
}

impl Engine {
    /// The metrics of the cache of queries.
    pub fn query_cache(&self) -> &QueryCache {
        &self.query_cache
    }

    /// Sets the numbers of waiting texts and calls and of running texts.
    pub fn set_load(&self, queued_texts: usize, queued_calls: usize, running_texts: usize) {
        for (gauge, value) in [
            (&self.queued_texts, queued_texts),
            (&self.queued_calls, queued_calls),
            (&self.running_texts, running_texts),
        ] {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    /// Records the tokenization time of one call, or of one piece of a call that is larger than the queue.
    pub fn tokenized(&self, time: Duration) {
        self.tokenization.observe(time.as_secs_f64());
    }

    /// Records the time from a call's arrival until its first text left the queue.
    pub fn waited(&self, time: Duration) {
        self.queue.observe(time.as_secs_f64());
    }

    /// Records one inference.
    pub fn ran(&self, texts: usize, tokens: usize, time: Duration) {
        self.batch_texts.observe(texts as f64);
        self.batch_tokens.observe(tokens as f64);
        self.inference.observe(time.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        self.query_cache.register(registry);
        for (name, help, gauge) in [
            (
                "queued_texts",
                "Texts that wait for the model",
                &self.queued_texts,
            ),
            (
                "queued_calls",
                "Calls of which no text has left the queue",
                &self.queued_calls,
            ),
            (
                "running_texts",
                "Texts of the running batch",
                &self.running_texts,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        let mut time = |name, help, histogram: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        time(
            "tokenization",
            "Tokenization time of a call",
            &self.tokenization,
        );
        time(
            "queue",
            "Time from a call's arrival until its first text leaves the queue",
            &self.queue,
        );
        time(
            "inference",
            "Time of one pass through the model",
            &self.inference,
        );
        for (name, help, histogram) in [
            (
                "batch_texts",
                "Texts of one pass through the model",
                &self.batch_texts,
            ),
            (
                "batch_tokens",
                "Tokens of one pass through the model",
                &self.batch_tokens,
            ),
        ] {
            registry.register(name, help, histogram.clone());
        }
    }
}
