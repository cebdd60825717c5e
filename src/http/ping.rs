//! The probe that a load balancer asks.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use super::error::ProbeFailures;
use crate::service::{Error, Phase, Service, Unavailable};

/// Ask whether requests can be sent
///
/// As RunPod's load balancer expects it. It costs nothing and is answered from the first moment on.
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
