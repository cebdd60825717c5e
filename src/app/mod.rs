//! The server as a whole: started, reached and stopped by a test exactly as by production.
//!
//! Owns the order of things: signal handlers, then the listener, then the model behind it; at the end no new
//! connections, then the running requests, then the jobs that go on, then the engine. Imports [`crate::http`],
//! [`crate::jobs`], [`crate::service`] and [`crate::config`]. Once built, an application answers at every moment, be it
//! that it is not ready yet.

mod application;
mod signals;

pub use application::{Application, Error, Stopper, serve};
