//! Metrics of RunPod's queue; all zero without a queue.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Defines the metrics with their counters, each by its name and description.
macro_rules! counters {
    ($($name:ident: $help:literal,)*) => {
        /// Metrics of the worker; clones share them.
        #[derive(Debug, Clone, Default)]
        pub struct QueueMetrics {
            $(#[doc = $help] pub $name: Counter,)*
            /// Results that RunPod has not acknowledged yet.
            pub outbox: Gauge,
        }

        impl QueueMetrics {
            /// Name, description and value of every counter.
            pub fn counters(&self) -> [(&'static str, &'static str, &Counter); COUNTERS] {
                [$((stringify!($name), $help, &self.$name)),*]
            }
        }

        const COUNTERS: usize = [$($help),*].len();
    };
}

counters! {
    polls: "Requests for jobs",
    failed_polls: "Requests for jobs that failed or were rejected",
    taken: "Jobs taken",
    repeated: "Jobs delivered again while they ran",
    answered_again: "Jobs delivered again after their answer",
    nameless: "Jobs without an id",
    stopped: "Jobs that RunPod asked to stop",
    posts: "Attempts to post a result",
    post_retries: "Attempts after the first of each result",
    acknowledged: "Results that RunPod acknowledged",
    forgotten: "Results of jobs that RunPod no longer knew",
    replaced: "Results that RunPod rejected, replaced by an error",
    given_up: "Results given up",
}

impl QueueMetrics {
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
