//! RunPod's queue: takes jobs, performs them and posts their results, and sends heartbeats meanwhile.
//!
//! Owns the protocol: addresses, headers, durations, and what every answer of the platform means. Imports
//! [`crate::jobs`], [`crate::service`], [`crate::metrics`] and [`crate::config`]. Every job that was taken and has a name is answered at
//! least once, always with the same bytes, and stays in the heartbeat until RunPod has the answer; and in no state of
//! the platform is it asked faster than [`ProtocolDurations`] allow.

mod addresses;
mod answer;
mod backoff;
mod batch;
mod connection;
mod context;
mod ended_jobs;
mod error;
mod heartbeat;
mod outbox;
mod parse;
mod post_outcome;
mod protocol_durations;
mod registry;
mod result_cache;
mod run;
mod scan;
mod stop_channel;
mod take;
mod take_pauses;

pub use error::Error;
#[cfg(any(test, fuzzing))]
pub(crate) use parse::{cut_deliveries, deliveries};
pub use protocol_durations::ProtocolDurations;
pub use run::Worker;
