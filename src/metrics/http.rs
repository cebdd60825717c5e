//! Metrics of all HTTP requests, including those that ask for no embedding.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::seconds;

/// Route label of a request that matches no route.
const NO_ROUTE: &str = "none";

/// Metrics of HTTP requests; clones share them.
#[derive(Debug, Clone)]
pub struct Http {
    answers: Family<AnswerLabels, Counter>,
    time: Family<RouteLabels, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            answers: Family::default(),
            time: Family::new_with_constructor(seconds),
        }
    }
}

impl Http {
    /// Records a response. `route` is the matched pattern, never the path as sent, so that labels stay few.
    pub fn answered(&self, route: Option<String>, status: u16, time: Duration) {
        let route = route.unwrap_or_else(|| NO_ROUTE.to_owned());
        self.time
            .get_or_create(&RouteLabels {
                route: route.clone(),
            })
            .observe(time.as_secs_f64());
        self.answers
            .get_or_create(&AnswerLabels { route, status })
            .inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_answers",
            "Answers over HTTP, by route and status",
            self.answers.clone(),
        );
        registry.register_with_unit(
            "http_answer",
            "Time of an answer over HTTP, by route",
            Unit::Seconds,
            self.time.clone(),
        );
    }
}
