//! Times of one job with many texts.

use super::sampling::sample;
use super::{BATCHES, Limits};
use crate::Error;
use crate::client::{Client, Job};
use crate::report::Batch;
use crate::statistics::milliseconds;
use crate::texts::TextMaker;

/// Measures every batch whose texts the model takes.
pub async fn batches(
    client: &Client,
    texts: &mut TextMaker<'_>,
    limits: Limits,
) -> Result<Vec<Batch>, Error> {
    let mut measured = Vec::new();
    for (count, tokens) in BATCHES
        .into_iter()
        .filter(|&(_, tokens)| tokens <= limits.max_tokens)
    {
        let what = format!("batches of {count} texts of {tokens} tokens");
        let jobs = [Job::batch(&texts.texts(count, tokens)?)];
        let samples = sample(client, &jobs, limits.effort.batch, &what).await?;
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
