//! Settings of the HTTP listener.
//!
//! Invariant: a blank key is an error, and no [`Secret`] appears in `Debug`.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::list::list;
use super::non_zero;

/// The HTTP listener and what it accepts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 lets the system choose. `PORT` means the same.
    pub port: u16,
    /// A second port to listen on, for load balancers that probe a separate port. `PORT_HEALTH` means the same.
    pub health_port: Option<u16>,
    /// A second path of the probe, for load balancers that do not ask `/ping`. `HEALTH_CHECK_PATH` means the same.
    pub health_check_path: Option<String>,
    /// The key that requests send in `Authorization`, with or without `Bearer`; absent: no key is needed.
    #[serde(deserialize_with = "key")]
    pub api_key: Option<Secret>,
    /// Origins whose web pages may read the answers, or `*`; none: only pages of this server may.
    #[serde(deserialize_with = "list")]
    pub cors_allowed_origins: Vec<String>,
    /// Largest request body, in bytes.
    pub body_limit_bytes: NonZeroUsize,
    /// Longest time a request may wait for its answer, in seconds.
    pub request_timeout_seconds: NonZeroUsize,
    /// Longest time that running requests get to finish after a stop signal, in seconds. The default is less than the
    /// ten seconds after which containers are usually killed.
    pub shutdown_grace_seconds: NonZeroUsize,
}

impl Server {
    /// Longest time a request may wait for its answer.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds.get() as u64)
    }

    /// Longest time that running requests get to finish after a stop signal.
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds.get() as u64)
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: "0.0.0.0".to_owned(),
            port: 8000,
            health_port: None,
            health_check_path: None,
            api_key: None,
            cors_allowed_origins: Vec::new(),
            body_limit_bytes: non_zero(20_000_000),
            request_timeout_seconds: non_zero(60),
            shutdown_grace_seconds: non_zero(9),
        }
    }
}

/// Rejects a blank key, because an empty `Authorization` header would match it.
fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    match Option::<Secret>::deserialize(deserializer)? {
        Some(key) if key.expose().trim().is_empty() => {
            Err(D::Error::custom("server.api_key is blank"))
        }
        key => Ok(key),
    }
}

/// A key, or a URL that holds one. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<secret>")
    }
}
