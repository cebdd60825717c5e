//! The server as a whole: started, reached and stopped by a test exactly as by production.
//!
//! Owns the order of things: signal handlers, then the listener, then the model behind it; at the end no new
//! connections and no new jobs, then the running ones and their answers, then the engine. Imports [`crate::http`],
//! [`crate::runpod`], [`crate::jobs`], [`crate::service`] and [`crate::config`]. Once built, an application answers at
//! every moment, even if only to say that it is not ready yet.

mod application;
mod loader;
mod queue;
mod signals;

pub use application::{Application, Error, Stopper, serve};
