//! The body of a request: content type, size, the time until it is complete, and the thread that parses it.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::body::{BodyStream, to_bytes_limited};
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use actix_web::web::{Bytes, Data};
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::service::{Error, Malformed, TooLarge, quote};

/// The name of the body in errors.
pub const PART: &str = "the body";

/// A body with fewer bytes is parsed on the thread that has read it.
const LARGE_BYTES: usize = 64 * 1024;

/// Bytes that some programs write before UTF-8. They belong to the encoding and not to the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The same mark in UTF-16, of either byte order.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// How much of a body is read, and for how long.
#[derive(Debug)]
pub struct BodyLimits {
    /// Largest body, in bytes.
    pub bytes: usize,
    /// Longest time until it is complete.
    pub time: Duration,
    /// A permit for every large body that may be parsed at the same time.
    pub large_bodies: Arc<Semaphore>,
}

/// A body as JSON that is not parsed yet. A byte order mark before it is ignored.
pub fn json(body: &[u8]) -> Result<&RawValue, Malformed> {
    if UTF_16_MARKS.iter().any(|mark| body.starts_with(mark)) {
        return Err(Malformed::Utf16 { part: PART });
    }
    let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    serde_json::from_slice(text).map_err(Malformed::json(PART))
}

/// Reads the body of a request to its end, and parses it. Large bodies are parsed on another thread, a few at a time: so
/// they neither hold up other requests nor need much memory together.
pub async fn read<T: Send + 'static>(
    request: &HttpRequest,
    payload: Payload,
    parse: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, Error> {
    check_content(request)?;
    let limits = request
        .app_data::<Data<BodyLimits>>()
        .ok_or_else(|| Error::internal("the body limits are not installed"))?;
    let body = complete(request, payload, limits).await?;
    if body.len() < LARGE_BYTES {
        return Ok(parse(&body));
    }
    let permit = Arc::clone(&limits.large_bodies).acquire_owned().await;
    let parsed = spawn_blocking(move || {
        let _permit = permit;
        parse(&body)
    });
    parsed.await.map_err(Error::internal)
}

async fn complete(
    request: &HttpRequest,
    payload: Payload,
    limits: &BodyLimits,
) -> Result<Bytes, Error> {
    let BodyLimits { bytes, time, .. } = *limits;
    let too_large = || Error::from(TooLarge::Body { limit: bytes });
    // Rejects the body before it arrives; without this check it would be rejected after most of it has.
    if announced_length(request).is_some_and(|length| length > bytes as u64) {
        return Err(too_large());
    }
    tokio::time::timeout(time, to_bytes_limited(BodyStream::new(payload), bytes))
        .await
        .map_err(|_| Error::Timeout { limit: time })?
        .map_err(|_| too_large())?
        .map_err(|_| Malformed::Incomplete.into())
}

/// A missing content type is accepted: a body that is not JSON is refused anyway.
fn check_content(request: &HttpRequest) -> Result<(), Error> {
    let accepted = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_ENCODING, "identity"),
    ];
    for (name, expected) in accepted {
        let Some(given) = request.headers().get(&name) else {
            continue;
        };
        let given = String::from_utf8_lossy(given.as_bytes());
        let essence = given.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(expected) {
            return Err(Error::UnsupportedMediaType {
                header: name.to_string(),
                given: quote(essence),
                expected,
            });
        }
    }
    Ok(())
}

fn announced_length(request: &HttpRequest) -> Option<u64> {
    header(request, CONTENT_LENGTH)?.parse().ok()
}

fn header(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_json() {
        assert_eq!(json(b"\xef\xbb\xbf {}").unwrap().get(), "{}");
        assert!(json(b"\xef\xbb\xbf\xef\xbb\xbf{}").is_err());
        assert!(json(b"{}\xef\xbb\xbf").is_err());
    }

    #[test]
    fn a_body_in_utf_16_gets_an_error_that_says_so() {
        for body in [&b"\xff\xfe{\0}\0"[..], b"\xfe\xff\0{\0}"] {
            let error = json(body).unwrap_err().to_string();
            assert_eq!(error, "the body is UTF-16; it must be UTF-8");
        }
    }
}
