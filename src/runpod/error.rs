//! Why a worker cannot begin. An address is never part of an error: it is a secret.

use crate::config::QueueVariable;

/// Why a worker cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Jobs could be taken but not answered.
    #[error(
        "{} is set and {} is not",
        QueueVariable::GET_JOB,
        QueueVariable::POST_OUTPUT
    )]
    NoPostAddress,
    /// A template does not become an address.
    #[error("{variable} is not an address")]
    Address {
        /// Where the template stands.
        variable: QueueVariable,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The credential has characters that no header may have.
    #[error("{} cannot be sent", QueueVariable::API_KEY)]
    Key(#[source] reqwest::header::InvalidHeaderValue),
    /// The HTTP client cannot be set up, for example without certificates.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The system refuses the heartbeat's thread.
    #[error("cannot start the heartbeat")]
    Heartbeat(#[source] std::io::Error),
}
