//! One client that sends one job after another: latency by text length, a repeated query, and large batches.

use std::time::{Duration, Instant};

use super::Scope;
use super::effort::SampleBounds;
use crate::client::{Client, Job, RequestError};
use crate::error::Error;
use crate::report::{Batch, Latency, RepeatedQuery};
use crate::statistics::{Distribution, milliseconds};
use crate::texts::TextMaker;
use crate::workload::{BATCHES, LATENCY_TOKENS, QUERY_TOKENS};

/// Jobs before the measured ones of each length.
const WARM_UP_JOBS: usize = 2;

/// Measures the latency of every length that the model accepts.
pub async fn latency(
    client: &Client,
    texts: &mut TextMaker<'_>,
    scope: Scope,
) -> Result<Vec<Latency>, Error> {
    let mut measured = Vec::new();
    for tokens in LATENCY_TOKENS
        .into_iter()
        .filter(|&tokens| tokens <= scope.max_tokens)
    {
        let bounds = scope.effort.latency;
        let texts = texts.texts(WARM_UP_JOBS + bounds.maximum, tokens)?;
        let jobs: Vec<Job> = texts.iter().map(Job::query).collect();
        let (warm_up_jobs, jobs) = jobs.split_at(WARM_UP_JOBS);
        warm_up(client, warm_up_jobs).await?;
        let what = format!("texts of {tokens} tokens");
        let samples = sample(client, jobs, bounds, &what).await?;
        measured.push(Latency {
            tokens,
            samples: samples.times.count(),
            errors: samples.errors,
            p50_milliseconds: milliseconds(samples.times.percentile(50.0)),
            p95_milliseconds: milliseconds(samples.times.percentile(95.0)),
            p99_milliseconds: milliseconds(samples.times.percentile(99.0)),
        });
    }
    Ok(measured)
}

/// Measures one query that is asked again and again, and health checks in between.
pub async fn repeated_query(
    client: &Client,
    texts: &mut TextMaker<'_>,
    scope: Scope,
) -> Result<RepeatedQuery, Error> {
    let query = Job::query(&texts.text(QUERY_TOKENS)?);
    let jobs = [query, Job::health_check()];
    warm_up(client, &jobs).await?;
    let (mut times, mut failures) = ([Vec::new(), Vec::new()], Vec::new());
    let begin = Instant::now();
    while scope
        .effort
        .latency
        .is_unsatisfied(times[1].len() + failures.len(), begin.elapsed())
    {
        for (job, times) in jobs.iter().zip(&mut times) {
            match client.run(job).await {
                Ok(time) => times.push(time),
                Err(error) => failures.push(error),
            }
        }
    }
    let [queries, checks] = times;
    let queries = Samples::of(queries, failures, "a repeated query")?;
    let checks = Samples::of(checks, Vec::new(), "health checks")?;
    Ok(RepeatedQuery {
        tokens: QUERY_TOKENS,
        samples: queries.times.count(),
        errors: queries.errors,
        p50_milliseconds: milliseconds(queries.times.median()),
        p99_milliseconds: milliseconds(queries.times.percentile(99.0)),
        health_check_p50_milliseconds: milliseconds(checks.times.median()),
    })
}

/// Measures every batch whose texts the model accepts.
pub async fn batches(
    client: &Client,
    texts: &mut TextMaker<'_>,
    scope: Scope,
) -> Result<Vec<Batch>, Error> {
    let mut measured = Vec::new();
    for (count, tokens) in BATCHES
        .into_iter()
        .filter(|&(_, tokens)| tokens <= scope.max_tokens)
    {
        let what = format!("batches of {count} texts of {tokens} tokens");
        let jobs = [Job::batch(&texts.texts(count, tokens)?)];
        let samples = sample(client, &jobs, scope.effort.batch, &what).await?;
        let median = samples.times.median();
        measured.push(Batch {
            texts: count,
            tokens,
            samples: samples.times.count(),
            errors: samples.errors,
            p50_milliseconds: milliseconds(median),
            texts_per_second: count as f64 / median.as_secs_f64(),
        });
    }
    Ok(measured)
}

/// Sends every job once, without measuring.
pub async fn warm_up(client: &Client, jobs: &[Job]) -> Result<(), Error> {
    for job in jobs {
        let answer = client.run(job).await;
        answer.map_err(Error::no_answer("the warm-up"))?;
    }
    Ok(())
}

/// Times of successful jobs, at least one, and the number of failed ones.
pub struct Samples {
    pub times: Distribution,
    pub errors: usize,
}

impl Samples {
    /// Collects the outcomes of jobs; an error if none succeeded. `what` names the measurement.
    pub fn of(
        times: Vec<Duration>,
        failures: Vec<RequestError>,
        what: &str,
    ) -> Result<Self, Error> {
        let errors = failures.len();
        match (Distribution::of(times), failures.into_iter().next()) {
            (Some(times), _) => Ok(Self { times, errors }),
            (None, Some(source)) => Err(Error::no_answer(what)(source)),
            (None, None) => Err(Error::NoJob {
                what: what.to_owned(),
            }),
        }
    }
}

/// Sends `jobs` in turn, again and again, until there are enough samples. `what` names the measurement.
pub async fn sample(
    client: &Client,
    jobs: &[Job],
    bounds: SampleBounds,
    what: &str,
) -> Result<Samples, Error> {
    let begin = Instant::now();
    let mut times = Vec::new();
    let mut failures = Vec::new();
    for job in jobs.iter().cycle() {
        if !bounds.is_unsatisfied(times.len() + failures.len(), begin.elapsed()) {
            break;
        }
        match client.run(job).await {
            Ok(time) => times.push(time),
            Err(error) => failures.push(error),
        }
    }
    Samples::of(times, failures, what)
}
