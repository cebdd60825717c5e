//! Shared by several test modules: a fake model, servers, real models and golden files.

pub mod corpus;
pub mod fake;
pub mod fuzzed_graph;
pub mod golden;
pub mod graph;
pub mod listener;
pub mod models;
pub mod platform;
pub mod program;
pub mod server;
