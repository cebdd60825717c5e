//! RunPod's queue: takes jobs, performs them and posts their results, and sends heartbeats meanwhile.
//!
//! Owns the protocol: addresses, headers, timings, and what every answer of the platform means. Imports
//! [`crate::jobs`], [`crate::service`], [`crate::metrics`] and [`crate::config`]. Every job that was taken and has a name is answered at
//! least once, always with the same bytes, and stays in the heartbeat until RunPod has the answer; and in no state of
//! the platform is it asked faster than [`Timings`] allow.

mod addresses;
mod answer;
mod backoff;
mod connection;
mod ended_jobs;
mod error;
mod heartbeat;
mod outbox;
mod parse;
mod poll_pacing;
mod post_outcome;
mod registry;
mod result_cache;
mod run;
mod scan;
mod shared;
mod stop_channel;
mod take;
mod timings;

pub use error::Error;
pub use run::Worker;
pub use timings::Timings;
