//! Jobs sent one after the other, and their times.

use std::time::{Duration, Instant};

use super::effort::Bound;
use crate::Error;
use crate::client::{Client, Job, RequestError};
use crate::statistics::Distribution;

/// Times of the jobs that were answered, at least one, and the number of those that were not.
pub struct Samples {
    pub times: Distribution,
    pub errors: usize,
}

/// Sends `jobs` in turn until `bound` has enough; `what` names the measurement if nothing is answered.
pub async fn sample(
    client: &Client,
    jobs: &[Job],
    bound: Bound,
    what: &str,
) -> Result<Samples, Error> {
    let begin = Instant::now();
    let mut times = Vec::new();
    let mut failures = Vec::new();
    for job in jobs.iter().cycle() {
        if !bound.wants_more(times.len() + failures.len(), begin.elapsed()) {
            break;
        }
        match client.run(job).await {
            Ok(time) => times.push(time),
            Err(error) => failures.push(error),
        }
    }
    distribution(times, failures, what)
}

/// The samples' distribution, or how the first of them failed.
pub fn distribution(
    times: Vec<Duration>,
    failures: Vec<RequestError>,
    what: &str,
) -> Result<Samples, Error> {
    let errors = failures.len();
    match (Distribution::of(times), failures.into_iter().next()) {
        (Some(times), _) => Ok(Samples { times, errors }),
        (None, Some(source)) => Err(Error::NoAnswer {
            what: what.to_owned(),
            source,
        }),
        (None, None) => Err(Error::NoJob {
            what: what.to_owned(),
        }),
    }
}

/// Sends every job once, whose times do not count.
pub async fn warm_up(client: &Client, jobs: &[Job]) -> Result<(), Error> {
    for job in jobs {
        client.run(job).await.map_err(|source| Error::NoAnswer {
            what: "the warm-up".to_owned(),
            source,
        })?;
    }
    Ok(())
}
