//! Metrics of requests for embeddings over any transport.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::seconds;
use model::{Output, Outputs};

/// Metrics of requests; clones share them.
#[derive(Debug, Clone)]
pub struct Requests {
    all: Counter,
    errors: Family<ErrorLabels, Counter>,
    texts: Family<OutputLabels, Counter>,
    time: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutputLabels {
    output: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    code: &'static str,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            all: Counter::default(),
            errors: Family::default(),
            texts: Family::default(),
            time: seconds(),
        }
    }
}

impl Requests {
    /// Records a request that took `time`, and its error's code if it failed.
    pub fn ended(&self, time: Duration, code: Option<&'static str>) {
        self.all.inc();
        self.time.observe(time.as_secs_f64());
        if let Some(code) = code {
            self.errors.get_or_create(&ErrorLabels { code }).inc();
        }
    }

    /// Records that a request got outputs of a number of texts.
    pub fn gave(&self, outputs: Outputs, texts: usize) {
        for output in outputs.iter() {
            let output = output.as_str();
            let counter = self.texts.get_or_create(&OutputLabels { output });
            counter.inc_by(texts as u64);
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        for output in Output::ALL {
            // From the first look on, so that a rate has a beginning.
            let output = output.as_str();
            drop(self.texts.get_or_create(&OutputLabels { output }));
        }
        registry.register(
            "requests",
            "Requests that have ended, jobs and OpenAI requests",
            self.all.clone(),
        );
        registry.register(
            "errors",
            "Requests that ended with an error, by its code",
            self.errors.clone(),
        );
        registry.register(
            "texts",
            "Texts that were turned into an output, by the output",
            self.texts.clone(),
        );
        registry.register_with_unit(
            "request",
            "Time of a request from its arrival to its answer",
            Unit::Seconds,
            self.time.clone(),
        );
    }
}
