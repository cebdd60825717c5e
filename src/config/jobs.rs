//! Settings of jobs over HTTP: how long they are kept, and their webhooks.
//!
//! Invariant: no limit and no time is 0, and every host is a valid one, in its normal spelling.

use std::net::Ipv6Addr;
use std::num::NonZeroUsize;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Host;

use super::list::list;
use super::non_zero;

/// Retention of jobs, and webhooks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// Bytes of inputs and results that are kept. The oldest results are removed first, then jobs are rejected.
    pub memory_bytes: NonZeroUsize,
    /// How long the result of a job of `/run` is kept, in seconds.
    pub result_seconds: NonZeroUsize,
    /// How long the result of a job of `/runsync` is kept, in seconds.
    pub sync_result_seconds: NonZeroUsize,
    /// Pause before a failed webhook is retried, in seconds.
    pub webhook_pause_seconds: NonZeroUsize,
    /// Hosts that webhooks may name though they are not public: names or addresses, without a port.
    #[serde(deserialize_with = "hosts")]
    pub webhook_hosts: Vec<Host>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            memory_bytes: non_zero(50_000_000),
            result_seconds: non_zero(30 * 60),
            sync_result_seconds: non_zero(60),
            webhook_pause_seconds: non_zero(10),
            webhook_hosts: Vec::new(),
        }
    }
}

fn hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Host>, D::Error> {
    list(deserializer)?
        .iter()
        .map(|host| match host.trim() {
            // As a URL has it, an IPv6 address stands in brackets.
            host if host.parse::<Ipv6Addr>().is_ok() => Host::parse(&format!("[{host}]")),
            host => Host::parse(host),
        })
        .collect::<Result<_, _>>()
        .map_err(|error| D::Error::custom(format!("jobs.webhook_hosts: {error}")))
}
