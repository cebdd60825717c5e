//! Parses a delivery into its jobs. A malformed job gets an error as its answer, and does not affect the others.

use serde::de::Error as _;
use serde_json::value::RawValue;

use super::batch::Batch;
use super::scan;
use crate::jobs::{JobId, Policy, Submission};
use crate::service::{INPUT, Malformed, Parsed, Request, TooLarge};

/// The byte order mark, which some programs write before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The field of a job's id.
const ID: &str = "id";
/// The field of the id of a job's batch.
const BATCH: &str = "batchId";

/// A job as it was delivered.
#[derive(Debug)]
pub struct Delivery {
    /// Its id.
    pub id: JobId,
    /// Its batch.
    pub batch: Batch,
    /// Its submission. RunPod itself enforces the time limits of its jobs.
    pub submission: Submission,
}

impl Delivery {
    fn new(id: JobId, batch: Batch, request: Parsed) -> Self {
        let policy = Policy::UNLIMITED;
        Self {
            id,
            batch,
            submission: Submission { request, policy },
        }
    }
}

/// Everything in one delivery.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// The jobs, in their order.
    pub jobs: Vec<Delivery>,
    /// How many had no id, so that they cannot be answered.
    pub nameless: usize,
}

impl Deliveries {
    fn read(elements: Vec<&[u8]>, texts: usize) -> Self {
        let mut deliveries = Self::default();
        for element in elements {
            deliveries.add(delivery(element, texts));
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

/// Parses the body of a delivery: an object or a list of them, or a string that holds the same; a job may hold `texts`
/// texts. Nothing where it is neither, nor `null`, nor empty.
pub fn deliveries(body: &[u8], texts: usize) -> Option<Deliveries> {
    if let Some(elements) = elements(body) {
        return Some(Deliveries::read(elements, texts));
    }
    let inner: String = serde_json::from_slice(unmarked(body)).ok()?;
    Some(Deliveries::read(elements(inner.as_bytes())?, texts))
}

/// As [`deliveries`], of a body that was cut at `limit` bytes: the job that was cut is too large, and those after it are
/// unknown.
pub fn cut_deliveries(body: &[u8], limit: usize, texts: usize) -> Option<Deliveries> {
    let mut elements = elements(body)?;
    let cut = elements.pop_if(|element| serde_json::from_slice::<&RawValue>(element).is_err());
    let mut deliveries = Deliveries::read(elements, texts);
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

/// Only an id that is a string is certainly complete.
fn cut_delivery(element: &[u8], limit: usize) -> Option<Delivery> {
    let members = scan::members(element)?;
    let id = serde_json::from_slice(named(&members, ID).last()?).ok()?;
    let request = Err(TooLarge::Delivery { limit }.into());
    Some(Delivery::new(JobId::new(id)?, batch(&members), request))
}

fn delivery(element: &[u8], texts: usize) -> Option<Delivery> {
    let members = scan::members(element)?;
    let id = id(named(&members, ID).last()?)?;
    let input = match named(&members, INPUT)[..] {
        [] => Err(Malformed::NoInput),
        [input] => object(input),
        [..] => Err(malformed(serde_json::Error::custom("it is given twice"))),
    };
    let request = match input {
        Ok(input) => Request::parse(input, texts),
        Err(error) => Err(error.into()),
    };
    Some(Delivery::new(id, batch(&members), request))
}

/// It is only for the log, so that anything but a string counts as absent.
fn batch(members: &[(&[u8], &[u8])]) -> Batch {
    let id = named(members, BATCH).pop();
    Batch::new(id.and_then(|id| serde_json::from_slice(id).ok()))
}

/// RunPod's ids are strings; a number can be answered as well.
fn id(value: &[u8]) -> Option<JobId> {
    let id = serde_json::from_slice::<String>(value)
        .or_else(|_| serde_json::from_slice::<u64>(value).map(|number| number.to_string()));
    JobId::new(id.ok()?)
}

fn object(input: &[u8]) -> Result<&RawValue, Malformed> {
    let input: &RawValue = serde_json::from_slice(input).map_err(malformed)?;
    Malformed::unless_object(INPUT, input)?;
    Ok(input)
}

fn malformed(reason: serde_json::Error) -> Malformed {
    Malformed::json(INPUT)(reason)
}

#[cfg(test)]
mod tests;
