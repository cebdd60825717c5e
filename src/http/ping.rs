//! The probe that a load balancer asks.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use super::error::ProbeFailures;
use crate::service::{Error, Phase, Service, Unavailable};

/// Where it is.
pub const PATH: &str = "/ping";

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::{App, test};

    use super::*;
    use crate::service::Limits;

    #[actix_web::test]
    async fn a_server_that_is_about_to_end_is_no_longer_healthy() {
        let service = Service::new(Limits {
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
