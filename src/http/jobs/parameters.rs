//! What addresses of jobs say: the id of a job, and durations in the query string.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;

use crate::jobs::Span;
use crate::service::{Error, Malformed, quote};

/// The id of a job in an address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct JobPath {
    /// The job's name.
    pub id: String,
}

impl FromRequest for JobPath {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    /// Ids need no percent-encoding, so one that has any matches no job.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().query("id").to_owned();
        ready(Ok(Self { id }))
    }
}

/// The duration that a request gives for `span`; other parameters are ignored.
pub fn span(request: &HttpRequest, span: Span) -> Result<Option<Duration>, Error> {
    let text = request.query_string();
    let parameters = Query::<HashMap<String, String>>::from_query(text).map_err(|_| {
        Error::from(Malformed::Field {
            field: "the query string",
            given: quote(text),
            expected: "name=value pairs".to_owned(),
        })
    })?;
    match parameters.get(span.field) {
        Some(given) => Ok(Some(span.from_text(given)?)),
        None => Ok(None),
    }
}
