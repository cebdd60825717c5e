//! A server while it is measured: the connection to it, its start, and the memory of its process.
//!
//! Invariant: at most one server that was started here runs at any time.

use std::time::Duration;

use super::client::{self, Client, Job};
use super::error::Error;
use super::process_memory::{self, ProcessMemory};
use super::report::{ColdStart, LongText};
use super::server::{self, Server, ServerCommand};
use super::statistics::{Distribution, milliseconds, seconds};

/// Which server is measured.
#[derive(Debug, Clone)]
pub enum ServerSource {
    /// A server that is started on this machine, and ends with the measurement.
    Start(ServerCommand),
    /// A running server, by its URL.
    Running(String),
}

impl ServerSource {
    /// Whether the server runs on this machine.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Start(_) => true,
            Self::Running(url) => client::is_local(url),
        }
    }
}

/// A server that is ready.
pub struct MeasuredServer {
    /// The connection.
    pub client: Client,
    /// How long its start took, if it was measured.
    pub cold_start: Option<ColdStart>,
    process: Option<Server>,
}

impl MeasuredServer {
    /// Starts the server and measures `starts` further starts, or waits until a running one is ready.
    pub async fn open(source: &ServerSource, starts: usize, query: &Job) -> Result<Self, Error> {
        match source {
            ServerSource::Start(command) => Self::start(command, starts, query).await,
            ServerSource::Running(url) => {
                let client = Client::new(url).map_err(|source| Error::Client(source.into()))?;
                server::wait_for(&client).await?;
                Ok(Self {
                    client,
                    cold_start: None,
                    process: None,
                })
            }
        }
    }

    /// The first start, which fills the page cache, does not count. The last server keeps running.
    async fn start(command: &ServerCommand, starts: usize, query: &Job) -> Result<Self, Error> {
        let (mut server, mut client, _) = start(command, query).await?;
        let mut times = Vec::new();
        for _ in 0..starts {
            // Two servers would compete for the processor.
            drop(server);
            let time;
            (server, client, time) = start(command, query).await?;
            times.push(time);
        }
        Ok(Self {
            client,
            cold_start: Distribution::of(times).map(|times| ColdStart {
                samples: times.count(),
                p50_seconds: seconds(times.median()),
                slowest_seconds: seconds(times.percentile(100.0)),
            }),
            process: Some(server),
        })
    }

    /// Memory of a server that was started here.
    pub fn memory(&self) -> Option<ProcessMemory> {
        process_memory::of_process(self.process.as_ref()?.process_id())
    }

    /// Memory after a second without requests.
    pub async fn memory_at_rest(&self) -> Option<ProcessMemory> {
        const REST: Duration = Duration::from_secs(1);
        self.process.as_ref()?;
        tokio::time::sleep(REST).await;
        self.memory()
    }

    /// Sends one long text, and measures its time and the memory that it needs.
    pub async fn long_text(&self, job: &Job) -> Result<LongText, Error> {
        let process = self.process.as_ref().map(Server::process_id);
        let is_reset = process.is_some_and(process_memory::reset_peak);
        let before = self.memory().filter(|_| is_reset);
        let time = self
            .client
            .run(job)
            .await
            .map_err(Error::no_answer(format!("a text of {} tokens", job.tokens)))?;
        let extra = |(before, after): (ProcessMemory, ProcessMemory)| {
            after.peak_bytes.saturating_sub(before.resident_bytes)
        };
        Ok(LongText {
            tokens: job.tokens,
            milliseconds: milliseconds(time),
            extra_bytes: before.zip(self.memory()).map(extra),
        })
    }
}

/// Starts a server; the time is from the start of the process to the first vector.
async fn start(command: &ServerCommand, query: &Job) -> Result<(Server, Client, Duration), Error> {
    let mut server = Server::start(command)?;
    let client = server.wait_until_ready().await?;
    let first = client.run(query).await;
    first.map_err(Error::no_answer("the start"))?;
    let time = server.age();
    Ok((server, client, time))
}
