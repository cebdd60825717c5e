//! A server under measurement: the connection to it, and its process where it is one of ours.

use std::time::Duration;

use super::client::{Client, Job};
use super::report::{ColdStart, LongText};
use super::run::Subject;
use super::server::{self, Server};
use super::statistics::milliseconds;
use super::{Error, start};
use crate::process_memory::{self, ProcessMemory};

/// A server under measurement.
pub struct Session {
    /// The connection.
    pub client: Client,
    /// How long it took to start.
    pub cold_start: Option<ColdStart>,
    server: Option<Server>,
}

impl Session {
    /// Starts the server, `starts` times for the clock, or waits for the one that is running.
    pub async fn open(subject: &Subject, starts: usize, query: &Job) -> Result<Self, Error> {
        match subject {
            Subject::Own(command) => {
                let (server, client, cold_start) = start::starts(command, starts, query).await?;
                Ok(Self {
                    client,
                    cold_start,
                    server: Some(server),
                })
            }
            Subject::Running(url) => {
                let client = Client::new(url).map_err(|source| Error::Client(source.into()))?;
                server::wait_for(&client).await?;
                Ok(Self {
                    client,
                    cold_start: None,
                    server: None,
                })
            }
        }
    }

    /// Memory of a server of our own.
    pub fn memory(&self) -> Option<ProcessMemory> {
        process_memory::of_process(self.server.as_ref()?.process_id())
    }

    /// Memory after a second without requests.
    pub async fn memory_at_rest(&self) -> Option<ProcessMemory> {
        const REST: Duration = Duration::from_secs(1);
        self.server.as_ref()?;
        tokio::time::sleep(REST).await;
        self.memory()
    }

    /// Sends one long text and looks how much memory it takes.
    pub async fn long_text(&self, job: &Job) -> Result<LongText, Error> {
        let process = self.server.as_ref().map(Server::process_id);
        let forgotten = process.is_some_and(process_memory::forget_peak);
        let before = self.memory().filter(|_| forgotten);
        let time = self
            .client
            .run(job)
            .await
            .map_err(|source| Error::NoAnswer {
                what: format!("a text of {} tokens", job.tokens),
                source,
            })?;
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
