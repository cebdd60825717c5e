//! `/health`: what the endpoint is doing, in RunPod's terms.

use actix_web::get;
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::jobs::{Counts, Jobs as Table};
use crate::service::{Health, ModelInfo, Phase, Service};

/// Jobs since the start.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Jobs {
    /// Answered.
    completed: u64,
    /// Refused or failed, or too late.
    failed: u64,
    /// Being worked on.
    in_progress: u64,
    /// Waiting.
    in_queue: u64,
    /// Tried again.
    retried: u64,
}

/// This one worker, in the classes that RunPod counts.
#[derive(Serialize, ToSchema)]
struct Workers {
    /// Ready, with nothing to do.
    idle: u64,
    /// Loading the model.
    initializing: u64,
    /// Ready, busy or not.
    ready: u64,
    /// Working.
    running: u64,
    /// Always 0.
    throttled: u64,
    /// About to end.
    unhealthy: u64,
}

/// What the endpoint is doing.
#[derive(Serialize, ToSchema)]
struct HealthBody {
    /// Jobs.
    jobs: Jobs,
    /// Workers.
    workers: Workers,
    /// The model; absent until it is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<ModelInfo>,
}

impl HealthBody {
    fn new(now: Health, counts: Counts) -> Self {
        let ready = now.phase == Phase::Ready;
        let busy = now.running + now.queued > 0;
        Self {
            jobs: Jobs {
                completed: now.completed,
                failed: now.failed + counts.late,
                in_progress: now.running,
                in_queue: now.queued + counts.waiting,
                retried: counts.retried,
            },
            workers: Workers {
                idle: u64::from(ready && !busy),
                initializing: u64::from(now.phase == Phase::Loading),
                ready: u64::from(ready),
                running: u64::from(ready && busy),
                throttled: 0,
                unhealthy: u64::from(now.phase == Phase::Stopping),
            },
            model: now.model,
        }
    }
}

/// Count jobs and workers, and describe the model
///
/// RunPod's two objects, and `model` once it is loaded.
#[utoipa::path(
    tag = "RunPod",
    responses((status = 200, description = "What the endpoint is doing.", body = HealthBody)),
)]
#[get("/health")]
pub async fn health(service: Data<Service>, jobs: Data<Table>) -> Json<HealthBody> {
    Json(HealthBody::new(service.health(), jobs.counts()))
}
