//! Which web pages of other origins may read the answers (CORS).
//!
//! A page's browser asks with `OPTIONS` first, without the key, and is answered before the key is checked. Every later
//! answer, an error as well, tells the browser that the page may read it. Without the setting nothing of this happens.

use actix_cors::{Cors, CorsError};
use actix_web::Error as ActixError;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ORIGIN, RETRY_AFTER};
use actix_web::middleware::{Condition, Next};
use url::Url;

use super::trace::{REQUEST_ID, WORKER_ID};
use crate::service::{Error, Malformed, quote};

/// The setting.
const SETTING: &str = "server.cors_allowed_origins";
/// Stands for every origin.
const ANY: &str = "*";
/// How long a browser may remember that a page may call, in seconds.
const MAX_AGE_SECONDS: usize = 3600;

/// A member of the setting that is no origin.
#[derive(Debug, thiserror::Error)]
#[error(
    "{SETTING} holds {given}; each must be {ANY} or an origin as browsers write it, like https://app.example or \
     http://localhost:3000, without a path"
)]
pub struct InvalidOrigin {
    /// Its beginning, quoted.
    given: String,
}

/// The origins whose pages may read the answers.
#[derive(Debug, Clone)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Accepts origins and `*`, and rejects everything else. No origin at all turns CORS off.
    pub fn new(origins: &[String]) -> Result<Self, InvalidOrigin> {
        match origins.iter().find(|origin| !is_origin(origin)) {
            None => Ok(Self(origins.to_owned())),
            Some(origin) => Err(InvalidOrigin {
                given: quote(origin),
            }),
        }
    }

    /// The middleware that answers browsers.
    pub fn middleware(&self) -> Condition<Cors> {
        let cors = Cors::default()
            .allowed_methods([Method::GET, Method::HEAD, Method::POST])
            // There are no cookies, and clients add headers of their own, as OpenAI's do.
            .allow_any_header()
            .expose_headers([REQUEST_ID, WORKER_ID, RETRY_AFTER])
            .max_age(MAX_AGE_SECONDS);
        let cors = match self.0.iter().any(|origin| origin == ANY) {
            true => cors.allow_any_origin().send_wildcard(),
            false => self
                .0
                .iter()
                .fold(cors, |cors, origin| cors.allowed_origin(origin)),
        };
        Condition::new(!self.0.is_empty(), cors)
    }
}

/// Browsers leave out what an origin does not need, and compare letter by letter.
fn is_origin(text: &str) -> bool {
    if text == ANY {
        return true;
    }
    let Some(url) = Url::parse(text).ok().filter(|_| !text.contains(ANY)) else {
        return false;
    };
    let port = url
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    url.host_str()
        .is_some_and(|host| text == format!("{}://{host}{port}", url.scheme()))
}

/// Gives the refusal of a browser's first question the body of every other error.
pub async fn refuse(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, ActixError> {
    let response = next.call(request).await?;
    let error = response.response().error();
    if error
        .and_then(|error| error.as_error::<CorsError>())
        .is_none()
    {
        return Ok(response.map_into_left_body());
    }
    let origin = response.request().headers().get(ORIGIN);
    let given = origin.map_or_else(String::new, |origin| {
        String::from_utf8_lossy(origin.as_bytes()).into_owned()
    });
    let error = Error::from(Malformed::Field {
        field: "origin",
        given: quote(&given),
        expected: format!("one that {SETTING} allows to send GET, HEAD and POST"),
    });
    Ok(response.error_response(error).map_into_right_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(origin: &str) -> Option<String> {
        let origins = ["http://a".to_owned(), origin.to_owned()];
        let error = AllowedOrigins::new(&origins).err()?;
        Some(error.to_string())
    }

    #[test]
    fn an_origin_as_browsers_write_it_is_accepted() {
        for origin in [
            "*",
            "https://app.example",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "https://xn--bcher-kva.example",
            "tauri://localhost",
        ] {
            assert_eq!(refusal(origin), None, "{origin}");
        }
    }

    #[test]
    fn what_no_browser_sends_as_an_origin_is_refused_by_its_name() {
        for origin in [
            "",
            "null",
            "app.example",
            "localhost:3000",
            "https://",
            "https://app.example/",
            "https://app.example/page",
            "https://app.example?a",
            "https://app.example:443",
            "https://App.example",
            "https://a@app.example",
            "https://*.example",
            "https://bücher.example",
            " https://app.example",
        ] {
            let message = refusal(origin).unwrap_or_else(|| panic!("{origin} is accepted"));
            assert!(message.contains(SETTING), "{message}");
            assert!(message.contains(&quote(origin)), "{origin}: {message}");
        }
    }
}
