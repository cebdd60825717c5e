//! Middleware around every request: it sets the request id, writes the access log and logs the causes of defects.
//!
//! The cause of an internal error that is answered as such is logged here; an asynchronous job logs its own.

use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use uuid::Uuid;

use super::access::PING;
use super::health_check_path::HealthCheckPath;
use crate::jobs::Gauge;
use crate::service::{self, Service};

/// The header with the request id, in requests and responses.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id that is accepted from a client.
const REQUEST_ID_CHARACTERS: usize = 128;
/// Longest path in the log; longer ones are truncated.
const PATH_CHARACTERS: usize = 200;
/// The header by which RunPod's load balancer routes a client to the same worker again.
pub const WORKER_ID: HeaderName = HeaderName::from_static("x-runpod-worker-id");

/// How many texts a request embedded; the handler sets it for the log.
pub struct Texts(pub usize);

/// The worker's id, if RunPod has assigned one.
pub struct WorkerId(pub Option<HeaderValue>);

/// The requests in progress.
pub struct Running(pub Gauge);

/// Adds the request id and the worker id to the response, counts it and logs the request.
pub async fn trace(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begin = Instant::now();
    let _running = request
        .app_data::<Data<Running>>()
        .map(|running| running.0.count());
    let id = request_id(request.headers());
    let method = request.method().clone();
    // HEAD is routed as GET; the server omits the body when it writes the response.
    if method == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    if let Some(path) = request.app_data::<Data<HealthCheckPath>>().cloned() {
        path.apply(&mut request);
    }
    let mut response = next.call(request).await?;
    let time = begin.elapsed();
    count(&response, time);
    log_request(&method, &response, &id, time);
    log_defect(&response, &id);
    let worker = response.request().app_data::<Data<WorkerId>>();
    if let Some(worker) = worker.and_then(|worker| worker.0.clone()) {
        response.headers_mut().insert(WORKER_ID, worker);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

/// The client's request id if it is safe to log, otherwise a new one.
fn request_id(headers: &HeaderMap) -> String {
    let is_safe = |id: &&str| {
        (1..=REQUEST_ID_CHARACTERS).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
    };
    headers
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(is_safe)
        .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}

fn count<B>(response: &ServiceResponse<B>, time: Duration) {
    let request = response.request();
    if let Some(service) = request.app_data::<Data<Service>>() {
        let route = request.match_pattern();
        let status = response.status().as_u16();
        service.metrics().http.answered(route, status, time);
    }
}

fn log_request<B>(method: &Method, response: &ServiceResponse<B>, id: &str, time: Duration) {
    let request = response.request();
    let path: String = request.path().chars().take(PATH_CHARACTERS).collect();
    let level = match path.as_str() {
        // Load balancers poll this constantly.
        PING if response.status().is_success() => log::Level::Debug,
        _ => log::Level::Info,
    };
    let texts = request
        .extensions()
        .get::<Texts>()
        .map_or(0, |texts| texts.0);
    log::log!(
        level,
        request_id = id;
        "request method={method} path={path:?} status={} duration_ms={:.1} texts={texts}",
        response.status().as_u16(),
        time.as_secs_f64() * 1e3,
    );
}

fn log_defect<B>(response: &ServiceResponse<B>, id: &str) {
    let error = response.response().error();
    if let Some(service::Error::Internal(cause)) = error.and_then(|error| error.as_error()) {
        log::error!(
            request_id = id;
            "defect cause={:?}",
            service::with_causes(cause.as_ref())
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_id_that_is_safe_to_log_is_accepted() {
        let given = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap());
            request_id(&headers)
        };
        assert_eq!(given("abc-1.2:3/4+5=_"), "abc-1.2:3/4+5=_");
        for unsafe_id in [
            "",
            "a b",
            "a\"b",
            "é",
            &"x".repeat(REQUEST_ID_CHARACTERS + 1),
        ] {
            assert_eq!(given(unsafe_id).len(), 36, "{unsafe_id}");
        }
        assert_eq!(request_id(&HeaderMap::new()).len(), 36);
    }
}
