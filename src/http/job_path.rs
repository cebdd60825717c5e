//! The job that an address names.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;

use crate::service::Error;

/// The name of a job in an address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct JobPath {
    /// The job's name.
    pub id: String,
}

impl FromRequest for JobPath {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    /// Names are plain, so one that is written otherwise names no job.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().query("id").to_owned();
        ready(Ok(Self { id }))
    }
}
