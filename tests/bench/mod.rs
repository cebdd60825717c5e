//! What the measurements are made with.

mod command;
mod synthetic;
