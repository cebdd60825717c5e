//! The actix server, assembled from routes, limits and middleware.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderValue;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, Error};
use tokio::sync::Semaphore;
use utoipa_actix_web::AppExt;

use super::access::{self, Access};
use super::body::BodyLimits;
use super::cors::{self, AllowedOrigins};
use super::docs::{self, Docs};
use super::fallback::{Methods, fallback};
use super::health_check_path::HealthCheckPath;
use super::jobs::Jobs;
use super::trace::{Running, WorkerId};
use super::{listener, openai, openapi, routes, trace};
use crate::config::Settings;
use crate::jobs::Gauge;
use crate::service::Service;

/// Large bodies that are parsed at the same time.
const LARGE_BODIES: usize = 1;

/// A server whose sockets are open and that answers once it is awaited.
pub struct Listening {
    /// The server; its handle stops it.
    pub server: Server,
    /// The address it listens on.
    pub address: SocketAddr,
    /// The health address, if there is one.
    pub health_address: Option<SocketAddr>,
    /// The requests in progress.
    pub running: Gauge,
}

/// Opens the sockets for `service` and `jobs`, with the probe at `health_check_path`, too, and with answers that pages of
/// `origins` may read. Must be called within a runtime.
pub fn listen(
    service: &Service,
    jobs: &Jobs,
    health_check_path: HealthCheckPath,
    origins: AllowedOrigins,
    settings: &Settings,
) -> std::io::Result<Listening> {
    let shared = Shared::new(service, jobs, health_check_path, settings)?;
    let running = shared.running.0.clone();
    let settings = &settings.server;
    let mut ports = vec![settings.port];
    ports.extend(settings.health_port.filter(|port| *port != settings.port));
    let mut listeners = Vec::new();
    let mut addresses = Vec::new();
    for port in ports {
        let opened = listener::bind(&settings.host, port)?;
        // A host name may resolve to several addresses; the first one of each port is logged.
        addresses.extend(opened.first().map(TcpListener::local_addr).transpose()?);
        listeners.extend(opened);
    }
    let mut addresses = addresses.into_iter();
    Ok(Listening {
        server: listener::server(
            move || app(shared.clone(), origins.clone()),
            listeners,
            settings.shutdown_grace(),
        )?,
        address: addresses
            .next()
            .ok_or(std::io::ErrorKind::AddrNotAvailable)?,
        health_address: addresses.next(),
        running,
    })
}

/// The state that all worker threads share.
#[derive(Clone)]
struct Shared {
    service: Data<Service>,
    jobs: Data<Jobs>,
    limits: Data<BodyLimits>,
    methods: Data<Methods>,
    health_check_path: Data<HealthCheckPath>,
    docs: Data<Docs>,
    access: Data<Access>,
    worker_id: Data<WorkerId>,
    running: Data<Running>,
}

impl Shared {
    fn new(
        service: &Service,
        jobs: &Jobs,
        health_check_path: HealthCheckPath,
        settings: &Settings,
    ) -> std::io::Result<Self> {
        let pod = settings.worker.pod_id.as_deref();
        let worker_id = pod.and_then(|id| HeaderValue::from_str(id).ok());
        let settings = &settings.server;
        let limits = BodyLimits {
            bytes: settings.body_limit_bytes.get(),
            time: settings.request_timeout(),
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES)),
        };
        Ok(Self {
            service: Data::new(service.clone()),
            jobs: Data::new(jobs.clone()),
            limits: Data::new(limits),
            methods: Data::new(Methods::new(&openapi::registered())),
            health_check_path: Data::new(health_check_path),
            docs: Data::new(Docs::new(serde_json::to_string(&openapi::openapi(
                service.limits().texts,
            ))?)),
            access: Data::new(Access::new(settings.api_key.as_ref())),
            worker_id: Data::new(WorkerId(worker_id)),
            running: Data::new(Running(Gauge::default())),
        })
    }
}

fn app(
    shared: Shared,
    origins: AllowedOrigins,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let app = App::new()
        .app_data(shared.service)
        .app_data(shared.jobs)
        .app_data(shared.limits)
        .app_data(shared.methods)
        .app_data(shared.health_check_path)
        .app_data(shared.docs)
        .app_data(shared.access)
        .app_data(shared.worker_id)
        .app_data(shared.running)
        .into_utoipa_app();
    routes::register(app)
        .into_app()
        .configure(docs::register)
        .default_service(web::to(fallback))
        // The last middleware is the outermost.
        .wrap(from_fn(access::authorize))
        .wrap(origins.middleware())
        .wrap(from_fn(cors::refuse))
        .wrap(from_fn(openai::shape))
        .wrap(from_fn(trace::trace))
}
