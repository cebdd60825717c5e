//! Every route: the one registration behind both the routing and the OpenAPI document.

use actix_web::Error;
use actix_web::dev::{ServiceFactory, ServiceRequest};
use utoipa_actix_web::UtoipaApp;
use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{jobs, openai, probes};

/// RunPod's own addresses have the endpoint's name before the route; any name is accepted.
pub const ENDPOINT_PREFIX: &str = "/v2/{endpoint}";
/// RunPod's clients of OpenAI's API have this before the route.
pub const OPENAI_PREFIX: &str = "/v2/{endpoint}/openai";

/// Adds every documented route to `app`.
pub fn register<T>(app: UtoipaApp<T>) -> UtoipaApp<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    app.configure(runpod_routes)
        .configure(openai::register)
        // The longer prefix first, because a scope takes every path under its own.
        .service(scope(OPENAI_PREFIX).configure(openai::register))
        .service(scope(ENDPOINT_PREFIX).configure(runpod_routes))
        // Last, because it would take the first segment of the other routes for an endpoint's name.
        .service(jobs::realtime)
        .service(probes::ping)
        .service(probes::metrics)
}

fn runpod_routes(config: &mut ServiceConfig<'_>) {
    config.configure(jobs::register).service(probes::health);
}
