//! `/metrics`: what Prometheus reads.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use crate::metrics::{CONTENT_TYPE, Engine};
use crate::service::{Error, Service};

/// Read all metrics
///
/// In OpenMetrics' text format, as Prometheus asks for it.
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
    // Until there is an engine its metrics are there and zero.
    let engine = service.engine().map_or(&before, |engine| engine.metrics());
    let text = service
        .metrics()
        .text(engine)
        .map_err(|error| Error::Internal(Box::new(error)))?;
    Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).body(text))
}
