//! Pins, downloads and the cache, with a hub and a pip that have scripted failures.

mod downloads;
mod failures;
mod fallback;
mod hub;
mod offline;
mod pinned;
mod populate;
mod processes;
mod python;
mod repositories;
pub mod repository_hub;
mod runtime;
mod setup;
