//! Jobs over HTTP: RunPod's routes, and the table behind `/status`.
//!
//! Owns the table, of which looking up, cancelling, retrying and purging are methods, how long it keeps results, and the
//! webhooks. [`crate::jobs`] executes the jobs. Everything that is kept is bounded in time and in bytes.

mod control;
mod envelope;
mod job;
mod job_status;
#[expect(
    clippy::module_inception,
    reason = "the file is named after the type that it holds"
)]
mod jobs;
mod lookup;
mod parameters;
mod report;
mod retention;
mod submit;
mod table;
mod webhook;

use utoipa_actix_web::service_config::ServiceConfig;

pub use jobs::{Counts, Jobs};
pub use submit::realtime;

/// Registers the routes that exist with and without the endpoint's name before them.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(submit::runsync)
        .service(submit::run)
        .service(lookup::status)
        .service(lookup::status_by_post)
        .service(lookup::stream)
        .service(lookup::stream_by_post)
        .service(control::cancel)
        .service(control::retry)
        .service(control::purge_queue);
}
