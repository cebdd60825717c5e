//! Metrics of RunPod's queue; all zero without a queue.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Metrics of the worker; clones share them.
#[derive(Debug, Clone, Default)]
pub struct QueueMetrics {
    /// Requests for jobs.
    pub polls: Counter,
    /// Requests for jobs that failed or were rejected.
    pub failed_polls: Counter,
    /// New jobs taken.
    pub taken: Counter,
    /// Jobs delivered again while they ran, and ignored.
    pub repeated: Counter,
    /// Jobs delivered again after their result, and answered with the same bytes.
    pub answered_again: Counter,
    /// Jobs without an id.
    pub nameless: Counter,
    /// Jobs that RunPod asked to stop.
    pub stopped: Counter,
    /// Attempts to post a result.
    pub posts: Counter,
    /// Attempts after the first of each result.
    pub post_retries: Counter,
    /// Results that RunPod acknowledged.
    pub acknowledged: Counter,
    /// Results of jobs that RunPod no longer knew.
    pub forgotten: Counter,
    /// Results that RunPod rejected, replaced by an error.
    pub replaced: Counter,
    /// Results given up.
    pub given_up: Counter,
    /// Results that RunPod has not acknowledged yet.
    pub outbox: Gauge,
}

impl QueueMetrics {
    /// Name, description and value of every counter.
    pub fn counters(&self) -> [(&'static str, &'static str, &Counter); 13] {
        [
            ("polls", "Requests for jobs", &self.polls),
            (
                "failed_polls",
                "Requests for jobs that failed or were rejected",
                &self.failed_polls,
            ),
            ("taken", "Jobs taken", &self.taken),
            (
                "repeated",
                "Jobs delivered again while they ran",
                &self.repeated,
            ),
            (
                "answered_again",
                "Jobs delivered again after their answer",
                &self.answered_again,
            ),
            ("nameless", "Jobs without an id", &self.nameless),
            ("stopped", "Jobs that RunPod asked to stop", &self.stopped),
            ("posts", "Attempts to post a result", &self.posts),
            (
                "post_retries",
                "Attempts after the first of each result",
                &self.post_retries,
            ),
            (
                "acknowledged",
                "Results that RunPod acknowledged",
                &self.acknowledged,
            ),
            (
                "forgotten",
                "Results of jobs that RunPod no longer knew",
                &self.forgotten,
            ),
            (
                "replaced",
                "Results that RunPod rejected, replaced by an error",
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
