//! Several clients at a time: throughput, and the latency of queries while other clients send long texts.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::{Either, join_all, select, try_join_all};

use super::Scope;
use super::effort::SampleBounds;
use super::sequential::{Samples, sample};
use crate::client::{Client, Job, RequestError};
use crate::error::Error;
use crate::report::{Flood, Throughput};
use crate::statistics::{milliseconds, seconds};
use crate::texts::TextMaker;
use crate::workload::{CLIENTS, MIXED_LENGTHS, QUERY_LENGTHS, QUERY_TOKENS};

/// Clients that send long texts in [`flood`].
const FLOOD_CLIENTS: usize = 8;
/// Tokens of their texts.
const FLOOD_TOKENS: usize = 2048;
/// Pause of a client whose long text was rejected.
const AFTER_REJECTION: Duration = Duration::from_millis(100);

/// What one or several clients did.
#[derive(Default)]
struct Load {
    times: Vec<Duration>,
    failures: Vec<RequestError>,
    tokens: usize,
    elapsed: Duration,
}

/// Measures every number of clients, with queries and with texts of mixed lengths that the model accepts.
pub async fn throughput(
    client: &Client,
    texts: &mut TextMaker<'_>,
    scope: Scope,
) -> Result<Vec<Throughput>, Error> {
    let mut measured = Vec::new();
    for lengths in [QUERY_LENGTHS, MIXED_LENGTHS] {
        let lengths = (lengths.0, lengths.1.min(scope.max_tokens));
        for clients in CLIENTS {
            let bounds = scope.effort.throughput;
            let made = texts.mixed_texts(bounds.maximum, lengths.0, lengths.1)?;
            let jobs: Vec<Job> = made.iter().map(Job::query).collect();
            let load = load(client, &jobs, clients, bounds).await;
            measured.push(load.report(lengths, clients)?);
        }
    }
    Ok(measured)
}

/// Lets `clients` clients send jobs from a shared list, which has enough for all samples, until there are enough of them.
async fn load(client: &Client, jobs: &[Job], clients: usize, bounds: SampleBounds) -> Load {
    let begin = Instant::now();
    let next = Cell::new(0);
    let client_load = || async {
        let mut load = Load::default();
        while bounds.is_unsatisfied(next.get(), begin.elapsed()) {
            let job = &jobs[next.get() % jobs.len()];
            next.set(next.get() + 1);
            match client.run(job).await {
                Ok(time) => {
                    load.times.push(time);
                    load.tokens += job.tokens;
                    load.elapsed = begin.elapsed();
                }
                Err(error) => load.failures.push(error),
            }
        }
        load
    };
    join_all((0..clients).map(|_| client_load()))
        .await
        .into_iter()
        .fold(Load::default(), Load::merge)
}

impl Load {
    fn merge(mut self, other: Self) -> Self {
        self.times.extend(other.times);
        self.failures.extend(other.failures);
        self.tokens += other.tokens;
        self.elapsed = self.elapsed.max(other.elapsed);
        self
    }

    fn report(self, lengths: (usize, usize), clients: usize) -> Result<Throughput, Error> {
        let what = format!("{clients} clients");
        let Samples { times, errors } = Samples::of(self.times, self.failures, &what)?;
        let elapsed = self.elapsed.as_secs_f64();
        Ok(Throughput {
            shortest_tokens: lengths.0,
            longest_tokens: lengths.1,
            clients,
            samples: times.count(),
            errors,
            seconds: seconds(self.elapsed),
            texts_per_second: times.count() as f64 / elapsed,
            tokens_per_second: self.tokens as f64 / elapsed,
            p50_milliseconds: milliseconds(times.median()),
            p99_milliseconds: milliseconds(times.percentile(99.0)),
        })
    }
}

/// Measures queries of one client while other clients send long texts without a pause.
pub async fn flood(
    client: &Client,
    texts: &mut TextMaker<'_>,
    scope: Scope,
) -> Result<Flood, Error> {
    let tokens = FLOOD_TOKENS.min(scope.max_tokens);
    let queries = texts.texts(scope.effort.flood_queries, QUERY_TOKENS)?;
    let queries: Vec<Job> = queries.iter().map(Job::query).collect();
    let texts = RefCell::new(texts);
    let long = || Ok::<_, Error>(Job::query(&texts.borrow_mut().text(tokens)?));
    let bounds = SampleBounds {
        minimum: scope.effort.flood_queries,
        maximum: scope.effort.flood_queries,
        time: scope.effort.latency.time,
    };
    let flood = try_join_all((0..FLOOD_CLIENTS).map(|_| send_forever(client, long)));
    let queries = sample(client, &queries, bounds, "queries among long texts");
    let samples = match select(pin!(queries), pin!(flood)).await {
        Either::Left((samples, _)) => samples?,
        // Only an error ends the clients.
        Either::Right((ended, queries)) => {
            ended?;
            queries.await?
        }
    };
    Ok(Flood {
        clients: FLOOD_CLIENTS,
        tokens,
        samples: samples.times.count(),
        errors: samples.errors,
        p50_milliseconds: milliseconds(samples.times.median()),
        slowest_milliseconds: milliseconds(samples.times.percentile(100.0)),
    })
}

/// Sends jobs until its future is dropped, or none can be made. Failed jobs do not matter, because only the queries are
/// measured.
async fn send_forever(client: &Client, job: impl Fn() -> Result<Job, Error>) -> Result<(), Error> {
    loop {
        if client.run(&job()?).await.is_err() {
            tokio::time::sleep(AFTER_REJECTION).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throughput_counts_all_clients_until_the_last_answer() {
        let part = |milliseconds: u64, elapsed: u64| Load {
            times: vec![Duration::from_millis(milliseconds); 10],
            failures: Vec::new(),
            tokens: 120,
            elapsed: Duration::from_secs(elapsed),
        };
        let load = part(10, 4).merge(part(30, 5));
        let throughput = load.report((12, 12), 2).unwrap();
        assert_eq!(throughput.samples, 20);
        assert_eq!(throughput.texts_per_second, 4.0);
        assert_eq!(throughput.tokens_per_second, 48.0);
        assert_eq!(throughput.p50_milliseconds, 20.0);
    }
}
