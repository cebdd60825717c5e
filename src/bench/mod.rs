//! Measuring a server over HTTP, and a model to measure it with.
//!
//! Owns the `bench` command's measurements and its report. Imports [`crate::config`], [`crate::export`] and
//! [`crate::model`], never the server: what is measured is a process on the other side of a socket.

pub mod synthetic;
