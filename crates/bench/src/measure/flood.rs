//! Queries of one client while others send texts that take seconds each.

use std::pin::pin;

use futures_util::future::{Either, join_all, select};

use super::effort::Bound;
use super::sampling::sample;
use super::{Limits, QUERY_TOKENS};
use crate::Error;
use crate::client::{Client, Job};
use crate::report::Flood;
use crate::statistics::milliseconds;
use crate::texts::TextMaker;

/// Clients that send long texts.
const CLIENTS: usize = 8;
/// Length of the long texts: the longest for which a bound on the queries' wait is promised.
const TOKENS: usize = 2048;
/// Different texts of each kind.
const TEXTS: usize = 8;

/// Measures the queries while long texts never end.
pub async fn flood(
    client: &Client,
    texts: &mut TextMaker<'_>,
    limits: Limits,
) -> Result<Flood, Error> {
    let tokens = TOKENS.min(limits.max_tokens);
    let jobs = |texts: Vec<_>| texts.iter().map(Job::query).collect::<Vec<_>>();
    let long = jobs(texts.texts(TEXTS, tokens)?);
    let queries = jobs(texts.texts(TEXTS, QUERY_TOKENS)?);
    let bound = Bound {
        least: limits.effort.flood_queries,
        most: limits.effort.flood_queries,
        time: limits.effort.latency.time,
    };
    let flood = join_all((0..CLIENTS).map(|first| send_for_ever(client, &long, first)));
    let queries = sample(client, &queries, bound, "queries among long texts");
    let samples = match select(pin!(queries), pin!(flood)).await {
        Either::Left((samples, _)) => samples?,
        // A flood without clients has nothing to wait for; there are some.
        Either::Right((_, queries)) => queries.await?,
    };
    Ok(Flood {
        clients: CLIENTS,
        tokens,
        samples: samples.times.count(),
        errors: samples.errors,
        p50_milliseconds: milliseconds(samples.times.median()),
        slowest_milliseconds: milliseconds(samples.times.percentile(100.0)),
    })
}

/// Ends when its future is dropped. A refusal of a long text is no error: the queries are what is measured.
async fn send_for_ever(client: &Client, jobs: &[Job], first: usize) {
    for job in jobs.iter().cycle().skip(first) {
        if client.run(job).await.is_err() {
            tokio::time::sleep(super::effort::AFTER_REFUSAL).await;
        }
    }
}
