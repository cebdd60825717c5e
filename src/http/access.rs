//! Access control by an API key, if one is configured.
//!
//! The probe is always public, because load balancers have no key. So is the documentation, which reveals nothing about
//! this endpoint. Every other address requires the key, even one that does not exist.

use actix_web::Error as ActixError;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::web::Data;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::docs;
use super::error_responses::SCHEME;
use crate::config::Secret;
use crate::service::Error;

/// The address of the load balancer's probe.
pub const PING: &str = "/ping";

type KeyHash = [u8; 32];

/// Checks the API key of requests.
#[derive(Clone)]
pub struct Access {
    /// The hash of the key. Comparing hashes takes constant time, whatever the content and length of the given key.
    key: Option<KeyHash>,
}

impl Access {
    /// Requires `key`, or allows everyone if there is none. White space around the key is removed, because a file that
    /// holds a key usually ends in a newline and a header value cannot.
    pub fn new(key: Option<&Secret>) -> Self {
        Self {
            key: key.map(|key| hash(key.expose().trim().as_bytes())),
        }
    }

    fn allows(&self, path: &str, authorization: Option<&[u8]>) -> bool {
        let Some(key) = self.key else {
            return true;
        };
        PING == path
            || docs::serves(path)
            || authorization.is_some_and(|given| {
                let given = hash(credential(given));
                bool::from(given.ct_eq(&key))
            })
    }
}

fn hash(key: &[u8]) -> KeyHash {
    Sha256::digest(key).into()
}

/// The key in a header value: the part after the scheme, or all of it.
fn credential(given: &[u8]) -> &[u8] {
    let given = given.trim_ascii();
    match given.split_at_checked(SCHEME.len()) {
        Some((scheme, key))
            if scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) && key.starts_with(b" ") =>
        {
            key.trim_ascii()
        }
        Some(_) | None => given,
    }
}

/// Rejects unauthorized requests.
pub async fn authorize(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, ActixError> {
    let header = request.headers().get(AUTHORIZATION);
    let authorization = header.map(|value| value.as_bytes());
    let is_allowed = request
        .app_data::<Data<Access>>()
        .is_some_and(|access| access.allows(request.path(), authorization));
    if is_allowed {
        Ok(next.call(request).await?.map_into_left_body())
    } else {
        let rejected = request.error_response(Error::Unauthorized);
        Ok(rejected.map_into_right_body())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_accepted_alone_and_after_its_scheme() {
        let access = Access::new(Some(&Secret::from("a key")));
        for given in ["a key", "Bearer a key", "bearer  a key", " a key "] {
            assert!(access.allows("/run", Some(given.as_bytes())), "{given}");
        }
        for given in ["", "Bearer", "Bearer ", "a ke", "a keys", "Basic a key"] {
            assert!(!access.allows("/run", Some(given.as_bytes())), "{given}");
        }
        assert!(!access.allows("/run", None));
    }
}
