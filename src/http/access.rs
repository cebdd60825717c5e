//! Who may ask: everybody, or whoever knows the key.
//!
//! The probe is always open, since load balancers have no key, and so is the documentation, which tells nothing of this
//! endpoint. Whatever else is asked for, be it that it does not exist, needs the key.

use actix_web::Error as ActixError;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::web::Data;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{docs, ping};
use crate::config::Secret;
use crate::service::Error;

/// The scheme that may precede the key.
pub const SCHEME: &str = "Bearer";

type Fingerprint = [u8; 32];

/// Who may ask.
#[derive(Clone)]
pub struct Access {
    /// Of the key: two fingerprints take the same time to compare whatever is given, and however long it is.
    key: Option<Fingerprint>,
}

impl Access {
    /// Whoever knows `key`; everybody without one. Space around it is none of it: a file that holds a key usually ends
    /// in a newline, and no header can.
    pub fn new(key: Option<&Secret>) -> Self {
        Self {
            key: key.map(|key| fingerprint(key.expose().trim().as_bytes())),
        }
    }

    fn allows(&self, path: &str, authorization: Option<&[u8]>) -> bool {
        let Some(key) = self.key else {
            return true;
        };
        ping::PATH == path
            || docs::serves(path)
            || authorization.is_some_and(|given| {
                let given = fingerprint(credential(given));
                bool::from(given.ct_eq(&key))
            })
    }
}

fn fingerprint(key: &[u8]) -> Fingerprint {
    Sha256::digest(key).into()
}

/// The key in a header's value: what follows the scheme, or all of it.
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

/// Refuses whoever may not ask.
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
        let refused = request.error_response(Error::Unauthorized);
        Ok(refused.map_into_right_body())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_as_it_is_and_after_its_scheme() {
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
