//! The real program with the small real model: what it answers, prints and returns.

mod commands;
mod handler;
mod serve;
mod surroundings;
