//! Spans of time in the query string.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Query;

use crate::jobs::Span;
use crate::service::{Error, Malformed, quote};

/// The span that a request gives under the span's name; other parameters are ignored.
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
