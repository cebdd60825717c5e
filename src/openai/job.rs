//! A job that carries a request of OpenAI's, as RunPod passes it on from `/openai/v1/...`.
//!
//! The shapes are those that RunPod's own workers read and write (worker-infinity, worker-vllm).

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::JobError;
use super::{embeddings, models};
use crate::engine::Call;
use crate::service::{Error, Invalid, Kind, Performed, Service};

/// How errors call what stands in for the body.
const PART: &str = "openai_input";

/// A job's input that names a route of OpenAI's.
#[derive(Debug)]
pub struct Routed<'a> {
    route: String,
    body: Option<&'a RawValue>,
}

impl<'a> Routed<'a> {
    /// The request in `input`, if there is one: `openai_route` is a string that is not empty.
    pub fn find(input: &'a RawValue) -> Option<Self> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            openai_route: Option<&'a RawValue>,
            #[serde(borrow)]
            openai_input: Option<&'a RawValue>,
        }
        if Kind::of(input) != Kind::Object {
            return None;
        }
        // What cannot be read here is told why where every other input is read.
        let fields: Fields<'a> = serde_json::from_str(input.get()).ok()?;
        let route: String = serde_json::from_str(fields.openai_route?.get()).ok()?;
        (!route.is_empty()).then_some(Self {
            route,
            body: fields.openai_input,
        })
    }

    /// Answers it. What is wrong with the request is the job's output; an error is a job that has failed.
    pub async fn perform(&self, service: &Service, call: Call) -> Result<Performed, Error> {
        match self.answer(service, call).await {
            Ok(performed) => Ok(performed),
            Err(error) => match JobError::of(&error) {
                Some(output) => service.performed(&output, 0, Duration::ZERO),
                None => Err(error),
            },
        }
    }

    async fn answer(&self, service: &Service, call: Call) -> Result<Performed, Error> {
        match self.route.as_str() {
            "/v1/embeddings" => {
                let body = self.body.ok_or(Invalid::Missing { field: PART })?;
                embeddings(service, body, PART, call).await
            }
            "/v1/models" => models(service).await,
            _ => Err(Error::NotFound),
        }
    }
}
