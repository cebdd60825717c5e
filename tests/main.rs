//! Everything that is tested from outside the crate, in one process, so that models are loaded once.

mod export;
mod model;
mod support;
