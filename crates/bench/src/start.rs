//! How long a server needs from its start to its first vector.

use std::time::Duration;

use super::Error;
use super::client::{Client, Job};
use super::report::ColdStart;
use super::server::{Server, ServerCommand};
use super::statistics::{Distribution, seconds};

/// Starts the server once for the page cache and `starts` times for the clock; the last one goes on running.
pub async fn starts(
    command: &ServerCommand,
    starts: usize,
    query: &Job,
) -> Result<(Server, Client, Option<ColdStart>), Error> {
    let (mut server, mut client, _) = start(command, query).await?;
    let mut times = Vec::new();
    for _ in 0..starts {
        // Two servers at a time would share the processor.
        drop(server);
        let time;
        (server, client, time) = start(command, query).await?;
        times.push(time);
    }
    let start = Distribution::of(times).map(|times| ColdStart {
        samples: times.count(),
        p50_seconds: seconds(times.median()),
        slowest_seconds: seconds(times.percentile(100.0)),
    });
    Ok((server, client, start))
}

async fn start(command: &ServerCommand, query: &Job) -> Result<(Server, Client, Duration), Error> {
    let mut server = Server::start(command)?;
    let client = server.wait_until_ready().await?;
    client.run(query).await.map_err(|source| Error::NoAnswer {
        what: "the start".to_owned(),
        source,
    })?;
    let time = server.age();
    Ok((server, client, time))
}
