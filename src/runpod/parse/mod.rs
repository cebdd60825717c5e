//! From the bytes of a delivery to its jobs: a job that is broken is answered with what is wrong, and harms no other.

use serde::de::Error as _;
use serde_json::value::RawValue;

use super::job_id::JobId;
use super::scan;
use crate::service::{self, INPUT, Kind, Malformed, TooLarge};

/// Begins a text for some programs, and means nothing.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How RunPod calls a job's name.
const ID: &str = "id";

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

impl Deliveries {
    fn read(elements: Vec<&[u8]>) -> Self {
        let mut deliveries = Self::default();
        for element in elements {
            deliveries.add(delivery(element));
        }
        deliveries
    }

    fn add(&mut self, delivery: Option<Delivery>) {
        match delivery {
            Some(delivery) => self.jobs.push(delivery),
            None => self.nameless += 1,
        }
    }
}

/// Reads the body of a delivery: an object or a list of them, or a string that holds the same. Nothing where it is
/// neither, nor `null`, nor empty.
pub fn deliveries(body: &[u8]) -> Option<Deliveries> {
    if let Some(elements) = elements(body) {
        return Some(Deliveries::read(elements));
    }
    let inner: String = serde_json::from_slice(unmarked(body)).ok()?;
    elements(inner.as_bytes()).map(Deliveries::read)
}

/// As [`deliveries`], of a body that was cut at `limit` bytes: the job in which that happened is too large, and those
/// behind it are not known.
pub fn cut_deliveries(body: &[u8], limit: usize) -> Option<Deliveries> {
    let mut elements = elements(body)?;
    let cut = elements.pop_if(|element| serde_json::from_slice::<&RawValue>(element).is_err());
    let mut deliveries = Deliveries::read(elements);
    if let Some(cut) = cut {
        deliveries.add(cut_delivery(cut, limit));
    }
    Some(deliveries)
}

fn elements(body: &[u8]) -> Option<Vec<&[u8]>> {
    let body = unmarked(body).trim_ascii();
    match scan::elements(body) {
        Some(elements) => Some(elements),
        None if body.first() == Some(&b'{') => Some(vec![body]),
        None if body.is_empty() || body == b"null" => Some(Vec::new()),
        None => None,
    }
}

fn unmarked(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// The values of an object that have this name.
fn named<'a>(members: &[(&[u8], &'a [u8])], name: &str) -> Vec<&'a [u8]> {
    let has_name =
        |given: &[u8]| serde_json::from_slice(given).is_ok_and(|given: String| given == name);
    let members = members.iter().filter(|(given, _)| has_name(given));
    members.map(|(_, value)| *value).collect()
}

/// Only a name that is a string is surely not cut itself.
fn cut_delivery(element: &[u8], limit: usize) -> Option<Delivery> {
    let members = scan::members(element)?;
    let id = serde_json::from_slice(named(&members, ID).last()?).ok()?;
    Some(Delivery {
        id: JobId::new(id)?,
        input: Err(TooLarge::Delivery { limit }.into()),
    })
}

fn delivery(element: &[u8]) -> Option<Delivery> {
    let members = scan::members(element)?;
    let id = id(named(&members, ID).last()?)?;
    let input = match named(&members, INPUT)[..] {
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
            Err(Malformed::NotAnObject { part: INPUT, found }.into())
        }
    }
}

fn malformed(reason: serde_json::Error) -> service::Error {
    Malformed::Json {
        part: INPUT,
        reason,
    }
    .into()
}

#[cfg(test)]
mod tests;
