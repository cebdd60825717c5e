//! RunPod's queue, as its worker counts it; all zero where there is none.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Metrics of the worker; clones share them.
#[derive(Debug, Clone, Default)]
pub struct QueueMetrics {
    /// Takes.
    pub polls: Counter,
    /// Takes that failed or were refused.
    pub failed_polls: Counter,
    /// Jobs taken that the worker did not have.
    pub taken: Counter,
    /// Jobs delivered again while they were worked on, and ignored.
    pub repeated: Counter,
    /// Jobs delivered again after their answer, and answered with the same bytes.
    pub answered_again: Counter,
    /// Jobs that had no name.
    pub nameless: Counter,
    /// Jobs that RunPod asked to stop.
    pub stopped: Counter,
    /// Attempts to post a result.
    pub posts: Counter,
    /// Attempts after the first of each result.
    pub post_retries: Counter,
    /// Results that RunPod has.
    pub acknowledged: Counter,
    /// Results that RunPod did not want any more.
    pub forgotten: Counter,
    /// Results that RunPod refused, replaced by an error.
    pub replaced: Counter,
    /// Results given up.
    pub given_up: Counter,
    /// Results that RunPod has not acknowledged yet.
    pub outbox: Gauge,
}

impl QueueMetrics {
    /// Every counter: its name, and what it counts.
    pub fn counters(&self) -> [(&'static str, &'static str, &Counter); 13] {
        [
            ("polls", "Takes", &self.polls),
            (
                "failed_polls",
                "Takes that failed or were refused",
                &self.failed_polls,
            ),
            ("taken", "Jobs taken", &self.taken),
            (
                "repeated",
                "Jobs delivered again while worked on",
                &self.repeated,
            ),
            (
                "answered_again",
                "Jobs delivered again after their answer",
                &self.answered_again,
            ),
            ("nameless", "Jobs that had no name", &self.nameless),
            ("stopped", "Jobs that RunPod asked to stop", &self.stopped),
            ("posts", "Attempts to post a result", &self.posts),
            (
                "post_retries",
                "Attempts after the first of each result",
                &self.post_retries,
            ),
            (
                "acknowledged",
                "Results that RunPod has",
                &self.acknowledged,
            ),
            (
                "forgotten",
                "Results that RunPod did not want any more",
                &self.forgotten,
            ),
            (
                "replaced",
                "Results refused, and replaced by an error",
                &self.replaced,
            ),
            ("given_up", "Results given up", &self.given_up),
        ]
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in self.counters() {
            registry.register(format!("worker_{name}"), help, counter.clone());
        }
        registry.register(
            "worker_outbox_results",
            "Results that RunPod has not acknowledged yet",
            self.outbox.clone(),
        );
    }
}
