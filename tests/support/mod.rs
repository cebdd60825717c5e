//! What several test modules need: a scripted model, a server, fetched and exported real models, golden files.

pub mod fake;
pub mod golden;
pub mod listener;
pub mod models;
pub mod platform;
pub mod program;
pub mod server;
