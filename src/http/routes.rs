//! Where everything is: the one registration behind both the routing and the OpenAPI document.

use actix_web::Error;
use actix_web::dev::{ServiceFactory, ServiceRequest};
use utoipa_actix_web::UtoipaApp;
use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    cancel, embeddings, health, metrics, models, ping, purge_queue, realtime, retry, run, runsync,
    status, stream,
};

/// RunPod's own addresses have the endpoint's name before the route; here every name is right.
pub const ENDPOINT_PREFIX: &str = "/v2/{endpoint}";
/// RunPod's clients of OpenAI's API have this before the route.
pub const OPENAI_PREFIX: &str = "/v2/{endpoint}/openai";

/// Adds every documented route to `app`.
pub fn register<T>(app: UtoipaApp<T>) -> UtoipaApp<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    app.configure(runpod_routes)
        .configure(openai_routes)
        // The longer prefix first: a scope takes everything under its own.
        .service(scope(OPENAI_PREFIX).configure(openai_routes))
        .service(scope(ENDPOINT_PREFIX).configure(runpod_routes))
        // After the routes whose own first word it would take for an endpoint's name.
        .service(realtime::realtime)
        .service(ping::ping)
        .service(metrics::metrics)
}

fn openai_routes(config: &mut ServiceConfig<'_>) {
    config
        .service(embeddings::embeddings)
        .service(models::models);
}

fn runpod_routes(config: &mut ServiceConfig<'_>) {
    config
        .service(runsync::runsync)
        .service(run::run)
        .service(status::status)
        .service(status::status_by_post)
        .service(stream::stream)
        .service(stream::stream_by_post)
        .service(cancel::cancel)
        .service(retry::retry)
        .service(purge_queue::purge_queue)
        .service(health::health);
}
