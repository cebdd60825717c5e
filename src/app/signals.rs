//! The signals that ask the program to end.

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell adds to a signal's number for the exit code of the program that it ended.
const SIGNALLED: u8 = 128;

/// Handlers of the signals; as long as they exist, the signals do nothing else.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// A signal that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Its name.
    pub name: &'static str,
    number: u8,
}

impl Received {
    const TERMINATE: Self = Self {
        name: "SIGTERM",
        number: 15,
    };
    const INTERRUPT: Self = Self {
        name: "SIGINT",
        number: 2,
    };

    /// The exit code of a program that the signal ended at once.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(SIGNALLED + self.number)
    }
}

impl Signals {
    /// Installs the handlers. Needs tokio's runtime.
    pub fn install() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.terminate.recv() => Received::TERMINATE,
            _ = self.interrupt.recv() => Received::INTERRUPT,
        }
    }
}
