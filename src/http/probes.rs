//! `/ping` for load balancers, `/metrics` for Prometheus, and `/health`.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::error_responses::ProbeFailures;
use super::jobs::{Counts, Jobs as Table};
use crate::metrics::{CONTENT_TYPE, Engine};
use crate::service::{Error, Health, ModelInfo, Phase, Service, Unavailable};

/// Check readiness
///
/// As RunPod's load balancer expects it. It costs nothing and is answered as soon as the listener is open.
#[utoipa::path(
    tag = "Probes",
    responses(
        (status = 200, description = "Ready."),
        (status = 204, description = "The model is still loading."),
        ProbeFailures,
    ),
)]
#[get("/ping")]
pub async fn ping(service: Data<Service>) -> Result<HttpResponse, Error> {
    match service.phase() {
        Phase::Ready => Ok(HttpResponse::Ok().finish()),
        Phase::Loading => Ok(HttpResponse::NoContent().finish()),
        Phase::Stopping => Err(Unavailable::Stopping.into()),
    }
}

/// Get the metrics
///
/// In OpenMetrics' text format, which Prometheus reads.
#[utoipa::path(
    tag = "Probes",
    responses((
        status = 200,
        description = "All metrics.",
        content_type = "application/openmetrics-text",
        body = String,
        example = "# TYPE runpod_query_queued_texts gauge\nrunpod_query_queued_texts 0\n# EOF\n",
    )),
)]
#[get("/metrics")]
pub async fn metrics(service: Data<Service>) -> Result<HttpResponse, Error> {
    let before = Engine::default();
    // Before the model is loaded the metrics of the engine are zero.
    let engine = service.engine().map_or(&before, |engine| engine.metrics());
    let text = service.metrics().text(engine).map_err(Error::internal)?;
    Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).body(text))
}

/// Jobs since the start.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Jobs {
    /// Completed.
    completed: u64,
    /// Rejected, failed or timed out.
    failed: u64,
    /// Running.
    in_progress: u64,
    /// Waiting.
    in_queue: u64,
    /// Retried.
    retried: u64,
}

/// This worker, counted in each state that RunPod distinguishes.
#[derive(Serialize, ToSchema)]
struct Workers {
    /// Ready and idle.
    idle: u64,
    /// Loading the model.
    initializing: u64,
    /// Ready, idle or busy.
    ready: u64,
    /// Ready and busy.
    running: u64,
    /// Always 0.
    throttled: u64,
    /// Shutting down.
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
                failed: now.failed + counts.timed_out,
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

/// Get the counts of jobs and workers, and the model
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::{App, test};

    use super::*;
    use crate::service::RequestLimits;

    #[actix_web::test]
    async fn a_server_that_is_shutting_down_is_not_healthy() {
        let service = Service::new(RequestLimits {
            texts: 1,
            result_bytes: 1,
            time: Duration::from_secs(1),
        });
        let app = App::new()
            .app_data(Data::new(service.clone()))
            .service(ping);
        let app = test::init_service(app).await;
        let status = async || {
            let request = test::TestRequest::get().uri("/ping").to_request();
            test::call_service(&app, request).await.status().as_u16()
        };
        assert_eq!(status().await, 204);
        service.announce_stop();
        assert_eq!(status().await, 503);
    }
}
