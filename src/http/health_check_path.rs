//! A second path for the probe, where RunPod's load balancer is told to ask elsewhere than at `/ping`.
//!
//! A request for it becomes one for the probe before anything else looks at it, so that both are one route: open without
//! a key, of one name in the log and the metrics.

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;

use super::access::PING;
use super::fallback::Methods;
use super::openapi;
use crate::service::quote;

/// The setting, and the variable that means the same.
const SETTING: &str = "server.health_check_path (HEALTH_CHECK_PATH)";
/// Characters of a path beside letters and digits: the unreserved ones and the separator.
const PUNCTUATION: &[u8] = b"-._~/";

/// Why a path cannot be the probe's.
#[derive(Debug, thiserror::Error)]
pub enum InvalidHealthCheckPath {
    /// No client could ask for it as it is written.
    #[error(
        "{SETTING} is {given}; it must be a path like /health-check of letters, digits and -._~"
    )]
    Malformed {
        /// The beginning of the value, quoted.
        given: String,
    },
    /// It is the address of something else.
    #[error("{SETTING} is {given}; it must not be the address of another route")]
    Taken {
        /// The beginning of the value, quoted.
        given: String,
    },
}

/// The probe's second path, if there is one.
#[derive(Debug, Clone, Default)]
pub struct HealthCheckPath(Option<String>);

impl HealthCheckPath {
    /// Accepts `path` unless it is malformed or another route's; `/ping` itself adds nothing.
    pub fn new(path: Option<&str>) -> Result<Self, InvalidHealthCheckPath> {
        let Some(path) = path.filter(|path| *path != PING) else {
            return Ok(Self::default());
        };
        let given = quote(path);
        if !is_well_formed(path) {
            return Err(InvalidHealthCheckPath::Malformed { given });
        }
        if Methods::new(&openapi::registered()).has(path) {
            return Err(InvalidHealthCheckPath::Taken { given });
        }
        Ok(Self(Some(path.to_owned())))
    }

    /// Makes a request for this path one for the probe.
    pub fn apply(&self, request: &mut ServiceRequest) {
        if self.0.as_deref() == Some(request.path()) {
            let probe = Uri::from_static(PING);
            request.match_info_mut().get_mut().update(&probe);
            request.head_mut().uri = probe;
        }
    }
}

/// Clients remove segments of dots before they send a path.
fn is_well_formed(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || PUNCTUATION.contains(&byte);
    path.starts_with('/')
        && path.bytes().all(is_plain)
        && !path.contains("//")
        && !path.split('/').any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &str) -> Option<String> {
        let error = HealthCheckPath::new(Some(path)).err()?;
        Some(error.to_string())
    }

    #[test]
    fn a_plain_path_that_nothing_else_has_is_accepted() {
        for path in ["/ping", "/healthz", "/v1/health-check_1.txt", "/ready/"] {
            assert_eq!(refusal(path), None, "{path}");
        }
    }

    #[test]
    fn a_path_that_no_client_sends_is_malformed() {
        for path in [
            "healthz", "//", "/a//b", "/a b", "/a?b", "/a#b", "/{a}", "/%61", "/é", "/..", "/a/./b",
        ] {
            let message = refusal(path).unwrap();
            assert!(message.contains("HEALTH_CHECK_PATH"), "{message}");
            assert!(message.contains("must be a path"), "{path}: {message}");
            assert!(message.contains(&quote(path)), "{message}");
        }
    }

    #[test]
    fn a_path_of_another_route_is_refused() {
        for path in [
            "/",
            "/docs",
            "/docs/",
            "/health",
            "/metrics",
            "/run",
            "/status/a",
            "/v2/a/health",
            "/a/realtime",
            "/openapi.json",
        ] {
            let message = refusal(path).unwrap();
            assert!(message.contains("another route"), "{path}: {message}");
        }
    }
}
