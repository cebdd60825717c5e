//! From the bytes of a delivery to its jobs: a job that is broken is answered with what is wrong, and harms no other.

use serde::de::Error as _;
use serde_json::value::RawValue;

use super::job_id::JobId;
use super::scan;
use crate::service::{self, Kind, Malformed};

/// How errors call the input.
const PART: &str = "input";

/// What is asked for, which is an object; else what is wrong with it.
pub type Input = Result<Box<RawValue>, service::Error>;

/// A job as it was delivered.
#[derive(Debug)]
pub struct Delivery {
    /// Its name.
    pub id: JobId,
    /// What is asked for.
    pub input: Input,
}

/// Everything in one delivery.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// The jobs, in their order.
    pub jobs: Vec<Delivery>,
    /// How many had no name, so that nobody can be told anything about them.
    pub nameless: usize,
}

/// Reads the body of a delivery: an object or a list of them. Nothing where it is neither, nor `null`, nor empty.
pub fn deliveries(body: &[u8]) -> Option<Deliveries> {
    let body = body.trim_ascii();
    let elements = match scan::elements(body) {
        Some(elements) => elements,
        None if body.first() == Some(&b'{') => vec![body],
        None if body.is_empty() || body == b"null" => Vec::new(),
        None => return None,
    };
    let mut deliveries = Deliveries::default();
    for element in elements {
        match delivery(element) {
            Some(delivery) => deliveries.jobs.push(delivery),
            None => deliveries.nameless += 1,
        }
    }
    Some(deliveries)
}

fn delivery(element: &[u8]) -> Option<Delivery> {
    let members = scan::members(element)?;
    let named = |name: &str| -> Vec<&[u8]> {
        let has_name =
            |given: &[u8]| serde_json::from_slice(given).is_ok_and(|given: String| given == name);
        let members = members.iter().filter(|(given, _)| has_name(given));
        members.map(|(_, value)| *value).collect()
    };
    let id = id(named("id").last()?)?;
    let input = match named(PART)[..] {
        [] => Err(Malformed::NoInput.into()),
        [input] => object(input),
        [..] => Err(malformed(serde_json::Error::custom("it is given twice"))),
    };
    Some(Delivery { id, input })
}

/// RunPod's names are strings; a number can be answered as well.
fn id(value: &[u8]) -> Option<JobId> {
    let name = serde_json::from_slice::<String>(value)
        .or_else(|_| serde_json::from_slice::<u64>(value).map(|number| number.to_string()));
    JobId::new(name.ok()?)
}

fn object(input: &[u8]) -> Input {
    let input: Box<RawValue> = serde_json::from_slice(input).map_err(malformed)?;
    match Kind::of(&input) {
        Kind::Object => Ok(input),
        found @ (Kind::Null | Kind::Boolean | Kind::Number | Kind::String | Kind::List) => {
            Err(Malformed::NotAnObject { part: PART, found }.into())
        }
    }
}

fn malformed(reason: serde_json::Error) -> service::Error {
    Malformed::Json { part: PART, reason }.into()
}

#[cfg(test)]
mod tests;
