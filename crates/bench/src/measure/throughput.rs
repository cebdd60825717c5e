//! Work done for several clients at a time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::effort::Bound;
use super::sampling::{Samples, distribution};
use super::{CLIENTS, DISTINCT_TEXTS, Limits, MIXED_LENGTHS, QUERY_LENGTHS};
use crate::Error;
use crate::client::{Client, Job, RequestError};
use crate::report::Throughput;
use crate::statistics::{milliseconds, seconds};
use crate::texts::TextMaker;

/// What the clients have done together.
#[derive(Default)]
struct Load {
    times: Vec<Duration>,
    failures: Vec<RequestError>,
    tokens: usize,
    elapsed: Duration,
}

/// Measures every number of clients, with queries and with texts of mixed lengths that the model takes.
pub async fn throughput(
    client: &Client,
    texts: &mut TextMaker<'_>,
    limits: Limits,
) -> Result<Vec<Throughput>, Error> {
    let mut measured = Vec::new();
    for lengths in [QUERY_LENGTHS, MIXED_LENGTHS] {
        let lengths = (lengths.0, lengths.1.min(limits.max_tokens));
        let made = texts.mixed_texts(DISTINCT_TEXTS, lengths.0, lengths.1)?;
        let jobs: Vec<Job> = made.iter().map(Job::query).collect();
        for clients in CLIENTS {
            let load = load(client, &jobs, clients, limits.effort.throughput).await;
            measured.push(load.describe(lengths, clients)?);
        }
    }
    Ok(measured)
}

/// Lets `clients` clients take jobs in turn from the same list until `bound` has enough.
async fn load(client: &Client, jobs: &[Job], clients: usize, bound: Bound) -> Load {
    let begin = Instant::now();
    let next = Cell::new(0);
    let work = || async {
        let mut load = Load::default();
        while bound.wants_more(next.get(), begin.elapsed()) {
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
    join_all((0..clients).map(|_| work()))
        .await
        .into_iter()
        .fold(Load::default(), Load::join)
}

impl Load {
    fn join(mut self, other: Self) -> Self {
        self.times.extend(other.times);
        self.failures.extend(other.failures);
        self.tokens += other.tokens;
        self.elapsed = self.elapsed.max(other.elapsed);
        self
    }

    fn describe(self, lengths: (usize, usize), clients: usize) -> Result<Throughput, Error> {
        let what = format!("{clients} clients");
        let Samples { times, errors } = distribution(self.times, self.failures, &what)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_of_all_clients_counts_until_the_last_answer() {
        let part = |milliseconds: u64, elapsed: u64| Load {
            times: vec![Duration::from_millis(milliseconds); 10],
            failures: Vec::new(),
            tokens: 120,
            elapsed: Duration::from_secs(elapsed),
        };
        let load = part(10, 4).join(part(30, 5));
        let described = load.describe((12, 12), 2).unwrap();
        assert_eq!(described.samples, 20);
        assert_eq!(described.texts_per_second, 4.0);
        assert_eq!(described.tokens_per_second, 48.0);
        assert_eq!(described.p50_milliseconds, 20.0);
    }
}
