//! Metrics of the cache of queries; all zero if it is switched off.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// The cache's metrics; clones share them.
#[derive(Debug, Clone, Default)]
pub struct QueryCache {
    hits: Counter,
    shared: Counter,
    misses: Counter,
    evictions: Counter,
    texts: Gauge,
    bytes: Gauge,
}

impl QueryCache {
    /// Records a query whose outputs were kept.
    pub fn hit(&self) {
        self.hits.inc();
    }

    /// Records a query that an equal one is computed for.
    pub fn shared(&self) {
        self.shared.inc();
    }

    /// Records a query that must be computed.
    pub fn missed(&self) {
        self.misses.inc();
    }

    /// Records a text whose outputs are no longer kept.
    pub fn evicted(&self) {
        self.evictions.inc();
    }

    /// Sets the number of texts whose outputs are kept, and the bytes that they take.
    pub fn set_size(&self, texts: usize, bytes: u64) {
        self.texts.set(i64::try_from(texts).unwrap_or(i64::MAX));
        self.bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in [
            ("cache_hits", "Queries that the cache answered", &self.hits),
            (
                "cache_shared",
                "Queries that were answered by the computation of an equal one",
                &self.shared,
            ),
            (
                "cache_misses",
                "Queries that had to be computed",
                &self.misses,
            ),
            (
                "cache_evictions",
                "Queries whose outputs the cache dropped to make room",
                &self.evictions,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register(
            "cache_texts",
            "Queries whose outputs are kept",
            self.texts.clone(),
        );
        registry.register_with_unit(
            "cache",
            "Bytes that the kept outputs take, with their texts",
            Unit::Bytes,
            self.bytes.clone(),
        );
    }
}
