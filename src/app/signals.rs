//! The signals that stop the program.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ExitCode;

/// Handlers of the signals; while they exist, the signals do not terminate the process.
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

    /// The exit code of a program that the signal terminated.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::of_signal(self.number)
    }
}

impl Signals {
    /// Installs the handlers. Must be called within a tokio runtime.
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
