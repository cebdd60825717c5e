//! Times of one text at a time, by its length.

use super::sampling::{sample, warm_up};
use super::{LATENCY_TOKENS, Limits};
use crate::Error;
use crate::client::{Client, Job};
use crate::report::Latency;
use crate::statistics::milliseconds;
use crate::texts::TextMaker;

/// Different texts of each length.
const TEXTS: usize = 8;

/// Measures every length that the model takes.
pub async fn latency(
    client: &Client,
    texts: &mut TextMaker<'_>,
    limits: Limits,
) -> Result<Vec<Latency>, Error> {
    let mut measured = Vec::new();
    for tokens in LATENCY_TOKENS
        .into_iter()
        .filter(|&tokens| tokens <= limits.max_tokens)
    {
        let texts = texts.texts(TEXTS, tokens)?;
        let jobs: Vec<Job> = texts.iter().map(Job::query).collect();
        warm_up(client, &jobs[..2]).await?;
        let what = format!("texts of {tokens} tokens");
        let samples = sample(client, &jobs, limits.effort.latency, &what).await?;
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
