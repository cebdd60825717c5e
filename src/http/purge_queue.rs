//! `/purge-queue`: takes back all jobs that wait.

use actix_web::post;
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::jobs::Jobs;

/// What was done.
#[derive(Serialize, ToSchema)]
struct Purged {
    /// Jobs that were taken back.
    #[schema(example = 2)]
    removed: usize,
    /// Always `completed`.
    #[schema(example = "completed")]
    status: &'static str,
}

/// Take back all jobs that wait
///
/// They are `CANCELLED` then. Jobs that run go on.
#[utoipa::path(
    tag = "RunPod",
    responses((status = 200, description = "How many there were.", body = Purged)),
)]
#[post("/purge-queue")]
pub async fn purge_queue(jobs: Data<Jobs>) -> Json<Purged> {
    Json(Purged {
        removed: jobs.purge(),
        status: "completed",
    })
}
