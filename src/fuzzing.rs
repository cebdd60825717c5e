//! What the fuzz targets call, built only for them and for tests, which run the corpora that the targets have kept.
//!
//! Each function takes any bytes, and panics where the program breaks a promise.

#[cfg(test)]
#[path = "../tests/support/corpus.rs"]
mod corpus;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::http::Envelope;
use crate::runpod::{cut_deliveries, deliveries as parse_deliveries};
use crate::service::openai::EmbeddingsRequest;
use crate::service::{Error, INPUT, Parsed, Request};

/// Texts that a list may hold: few, so that a short body reaches the limit.
const TEXTS: usize = 4;
/// Longest error, in bytes: it repeats only the beginning of what it was given.
const LONGEST_ERROR: usize = 600;

/// The body of a request: of RunPod's routes and of OpenAI's.
///
/// A request holds the texts of its body, none blank and no more than allowed. An error is short. The queue gives the same
/// input the same meaning.
pub fn envelope(body: &[u8]) {
    if let Ok(body) = serde_json::from_slice(body)
        && let Err(error) = EmbeddingsRequest::parse(body, INPUT, TEXTS)
    {
        check_error(&error);
    }
    let envelope = match Envelope::parse(body, TEXTS) {
        Ok(envelope) => envelope,
        Err(error) => return check_error(&error.into()),
    };
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        input: &'a RawValue,
    }
    let input = serde_json::from_slice::<Body<'_>>(body)
        .unwrap()
        .input
        .get();
    let request = envelope.submission.request;
    check_request(&request, input);
    let delivered = parse_deliveries(format!(r#"{{"id":"a","input":{input}}}"#).as_bytes(), TEXTS);
    let job = delivered.unwrap().jobs.pop().unwrap();
    assert_eq!(meaning(&request), meaning(&job.submission.request));
}

fn check_request(request: &Parsed, input: &str) {
    let (field, texts) = match request {
        Err(error) => return check_error(error),
        Ok(Request::Query(request)) => ("query", &request.texts),
        Ok(Request::Queries(request)) => ("queries", &request.texts),
        Ok(Request::Texts(request)) => ("texts", &request.texts),
        Ok(Request::HealthCheck | Request::OpenAi(_) | Request::OpenAiInJob(_)) => return,
    };
    let given = &serde_json::from_str::<serde_json::Value>(input).unwrap()[field];
    match given.as_array() {
        Some(list) => assert!(list.iter().eq(texts.iter())),
        None => assert!(*given == texts[0] && texts.len() == 1),
    }
    assert!((1..=TEXTS).contains(&texts.len()));
    assert!(texts.iter().all(|text| !text.trim().is_empty()));
}

fn check_error(error: &Error) {
    let line = error.line();
    assert!(line.len() <= LONGEST_ERROR, "{} bytes: {line}", line.len());
    assert!(!line.starts_with("internal"), "{line}");
}

/// What a request means, or its error, for a comparison.
fn meaning(request: &Parsed) -> String {
    match request {
        Ok(request) => format!("{request:?}"),
        Err(error) => error.line(),
    }
}

/// The body of a delivery of RunPod's queue.
///
/// Every element of a valid list is a job or is counted as nameless. A body that was cut gives the jobs before the cut the
/// same meaning.
pub fn deliveries(body: &[u8]) {
    let whole = parse_deliveries(body, TEXTS);
    for delivery in whole.iter().flat_map(|deliveries| &deliveries.jobs) {
        if let Err(error) = &delivery.submission.request {
            check_error(error);
        }
    }
    let elements = serde_json::from_slice::<Vec<&RawValue>>(body).ok();
    for limit in [
        body.len() / 2,
        body.len() * 3 / 4,
        body.len().saturating_sub(1),
    ] {
        let cut = cut_deliveries(&body[..limit], limit, TEXTS);
        let (Some(cut), Some(whole), Some(_)) = (cut, &whole, &elements) else {
            continue;
        };
        let complete = cut.jobs.len().saturating_sub(1);
        for (cut, whole) in cut.jobs[..complete].iter().zip(&whole.jobs) {
            assert_eq!(cut.id, whole.id);
            assert_eq!(
                meaning(&cut.submission.request),
                meaning(&whole.submission.request)
            );
        }
    }
    if let Some(elements) = elements {
        let whole = whole.unwrap();
        assert_eq!(whole.jobs.len() + whole.nameless, elements.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = env!("CARGO_MANIFEST_DIR");

    #[test]
    fn the_corpus_of_envelopes_breaks_no_promise() {
        corpus::run(ROOT, "envelope", envelope);
    }

    #[test]
    fn the_corpus_of_deliveries_breaks_no_promise() {
        corpus::run(ROOT, "deliveries", deliveries);
    }
}
