//! Pins, downloads and the cache, against a hub and a pip that fail on purpose.

mod downloads;
mod fallback;
mod hub;
mod offline;
mod pinned;
mod populate;
mod processes;
mod python;
mod refusals;
mod runtime;
mod setup;
