//! A server as a child process.
//!
//! Owns its start and its end. When a [`Server`] is dropped, its process has ended; no other process is ever signalled.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};

use super::client::Client;
use super::error::Error;

/// Time between two checks of a starting or ending server.
const POLL: Duration = Duration::from_millis(2);
/// Longest time for a start, which may read gigabytes from a slow disk.
const START_LIMIT: Duration = Duration::from_secs(300);
/// Longest time for an end; afterwards the process is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Longest end of a failed server's log that an error contains, in bytes.
const LOG_BYTES: usize = 2_000;
/// Precedes the address in the server's log.
const ADDRESS: &str = "listening address=";
/// The part of the log that contains the address, in bytes.
const START_OF_LOG_BYTES: usize = 16_000;
/// Variables of RunPod, with which the server would also take a pod's real jobs.
const QUEUE_VARIABLES: [&str; 3] = [
    "RUNPOD_WEBHOOK_GET_JOB",
    "RUNPOD_WEBHOOK_POST_OUTPUT",
    "RUNPOD_WEBHOOK_PING",
];

/// How to start a server.
#[derive(Debug, Clone)]
pub struct ServerCommand {
    /// The program.
    pub executable: PathBuf,
    /// Its arguments, without host and port.
    pub arguments: Vec<OsString>,
    /// Environment variables that are set in addition to this process's.
    pub environment: Vec<(String, String)>,
}

/// A running server.
pub struct Server {
    child: Child,
    log: File,
    begin: Instant,
}

impl Server {
    /// Starts the server on a port of the loopback address that the system chooses: one that was chosen here could be
    /// somebody else's when the server listens.
    pub fn start(command: &ServerCommand) -> Result<Self, Error> {
        let failed = |source| Error::Start {
            executable: command.executable.clone(),
            source,
        };
        let log = tempfile::tempfile().map_err(failed)?;
        let mut process = Command::new(&command.executable);
        process
            .args(&command.arguments)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .envs(command.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.try_clone().map_err(failed)?);
        for variable in QUEUE_VARIABLES {
            process.env_remove(variable);
        }
        let begin = Instant::now();
        Ok(Self {
            child: process.spawn().map_err(failed)?,
            log,
            begin,
        })
    }

    /// The process's id.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Time since its start.
    pub fn age(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Waits until it is ready and returns a client for it; an error if it ends before, or is not ready in time.
    pub async fn wait_until_ready(&mut self) -> Result<Client, Error> {
        let base = loop {
            if let Some(address) = self.address() {
                break format!("http://{address}");
            }
            self.pause().await?;
        };
        let client = Client::new(&base).map_err(|source| Error::Client(source.into()))?;
        while !is_ready(&client).await {
            self.pause().await?;
        }
        Ok(client)
    }

    /// Waits between two checks; an error if the process has ended or the start takes too long.
    async fn pause(&mut self) -> Result<(), Error> {
        // A child whose state is unknown may still be running.
        if let Ok(Some(status)) = self.child.try_wait() {
            let log = self.end_of_log();
            return Err(Error::Ended { status, log });
        }
        if self.age() > START_LIMIT {
            let seconds = START_LIMIT.as_secs();
            let log = self.end_of_log();
            return Err(Error::NotReady { seconds, log });
        }
        tokio::time::sleep(POLL).await;
        Ok(())
    }

    /// The address it listens on, once its log contains the complete line.
    fn address(&self) -> Option<String> {
        let log = self.read_log(0, START_OF_LOG_BYTES)?;
        let (_, rest) = log.split_once(ADDRESS)?;
        let (line, _) = rest.split_once('\n')?;
        // In a JSON log, the rest of the object follows.
        let address = line.split('"').next()?;
        Some(address.trim().to_owned())
    }

    /// The end of its log, on one line.
    fn end_of_log(&self) -> String {
        let length = self.log.metadata().map(|metadata| metadata.len());
        let first = length.unwrap_or_default().saturating_sub(LOG_BYTES as u64);
        match self.read_log(first, LOG_BYTES) {
            Some(text) => text.trim().lines().collect::<Vec<_>>().join("; "),
            None => String::from("its log cannot be read"),
        }
    }

    /// At most `bytes` of its log from `first` on. The file position is shared with the server, so it must not move.
    fn read_log(&self, first: u64, bytes: usize) -> Option<String> {
        let mut text = vec![0; bytes];
        let count = self.log.read_at(&mut text, first).ok()?;
        Some(String::from_utf8_lossy(&text[..count]).into_owned())
    }

    /// Asks the process to end; `true` if it ended in time.
    fn end(&mut self) -> bool {
        let Some(process) = Pid::from_raw(self.child.id() as i32) else {
            return false;
        };
        if kill_process(process, Signal::TERM).is_err() {
            return false;
        }
        let begin = Instant::now();
        while let Ok(None) = self.child.try_wait() {
            if begin.elapsed() > STOP_LIMIT {
                return false;
            }
            std::thread::sleep(POLL);
        }
        true
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.end() {
            // Both fail only if the process has already ended.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Waits until a server that was already running is ready.
pub async fn wait_for(client: &Client) -> Result<(), Error> {
    const LIMIT: Duration = Duration::from_secs(60);
    const PAUSE: Duration = Duration::from_millis(200);
    let begin = Instant::now();
    while !is_ready(client).await {
        if begin.elapsed() > LIMIT {
            return Err(Error::NotReady {
                seconds: LIMIT.as_secs(),
                log: String::new(),
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn is_ready(client: &Client) -> bool {
    matches!(client.probe().await, Ok(StatusCode::OK))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(executable: &str, script: &str) -> ServerCommand {
        ServerCommand {
            executable: executable.into(),
            arguments: vec!["-c".into(), script.into()],
            environment: Vec::new(),
        }
    }

    fn outcome(command: &ServerCommand) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut server = Server::start(command)?;
        runtime.block_on(server.wait_until_ready()).map(|_| ())
    }

    #[test]
    fn a_server_that_ends_immediately_is_an_error_with_the_end_of_its_log() {
        let error = outcome(&command("sh", "echo first >&2; echo last >&2; exit 3")).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("first; last") && message.contains('3'),
            "{message}"
        );
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = outcome(&command("/nowhere/program", "")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/program"), "{error}");
    }

    #[test]
    fn a_dropped_server_has_ended() {
        let server = Server::start(&command("sh", "exec sleep 60")).unwrap();
        let process = Pid::from_raw(server.process_id() as i32).unwrap();
        drop(server);
        assert!(rustix::process::test_kill_process(process).is_err());
    }
}
