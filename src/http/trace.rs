//! Around every request: its id, its line in the log, and the one place where a defect's cause is written down.

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
use crate::jobs::Gauge;
use crate::service::{self, Service};

/// The header with a request's id, in and out.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a request.
const REQUEST_ID_CHARACTERS: usize = 128;
/// Longest part of an address in the log.
const PATH_CHARACTERS: usize = 200;
/// The header with which RunPod's load balancer lets a client come back to the same worker.
const WORKER_ID: HeaderName = HeaderName::from_static("x-runpod-worker-id");
/// What stands for the route of a request that no route matches.
const NO_ROUTE: &str = "none";

/// How many texts a request had embedded; left by its handler for the log.
pub struct Texts(pub usize);

/// The worker's name, where RunPod has given it one.
pub struct WorkerId(pub Option<HeaderValue>);

/// The requests that are being answered.
pub struct Running(pub Gauge);

/// Gives the answer its id and its worker's, counts it and writes the request's line.
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
    // What answers GET answers HEAD; the body is left out where the connection is written.
    if method == Method::HEAD {
        request.head_mut().method = Method::GET;
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

/// The request's own id if it is fit for a log, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let is_fit = |id: &&str| {
        (1..=REQUEST_ID_CHARACTERS).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
    };
    headers
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(is_fit)
        .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}

fn count<B>(response: &ServiceResponse<B>, time: Duration) {
    let request = response.request();
    if let Some(service) = request.app_data::<Data<Service>>() {
        let route = request.match_pattern();
        let route = route.as_deref().unwrap_or(NO_ROUTE);
        let status = response.status().as_u16();
        service.metrics().http.answered(route, status, time);
    }
}

fn log_request<B>(method: &Method, response: &ServiceResponse<B>, id: &str, time: Duration) {
    let request = response.request();
    let path: String = request.path().chars().take(PATH_CHARACTERS).collect();
    let level = match path.as_str() {
        // A load balancer asks this all the time.
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
    fn only_an_id_that_is_fit_for_a_log_is_taken_over() {
        let given = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap());
            request_id(&headers)
        };
        assert_eq!(given("abc-1.2:3/4+5=_"), "abc-1.2:3/4+5=_");
        for unfit in [
            "",
            "a b",
            "a\"b",
            "é",
            &"x".repeat(REQUEST_ID_CHARACTERS + 1),
        ] {
            assert_eq!(given(unfit).len(), 36, "{unfit}");
        }
        assert_eq!(request_id(&HeaderMap::new()).len(), 36);
    }
}
