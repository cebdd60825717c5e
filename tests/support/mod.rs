//! What several test modules need: fetched artifacts, exported models and golden files.

pub mod golden;
pub mod models;
