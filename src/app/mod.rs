//! The whole server. Tests start, reach and stop it exactly as production does.
//!
//! This module owns the order of startup and shutdown. At startup it installs the signal handlers, then opens the
//! listener, then loads the model in the background. At shutdown it rejects new connections and jobs, then waits for the
//! running jobs and their responses, within a grace period. It imports [`crate::http`], [`crate::runpod`],
//! [`crate::jobs`], [`crate::service`] and [`crate::config`]. Once built, an application answers every request, even if
//! only to say that it is not ready yet.

mod application;
mod exit_code;
mod loading_thread;
mod runpod_queue;
mod signals;

pub use application::{Application, Error, Stopper, serve};
pub use exit_code::ExitCode;
