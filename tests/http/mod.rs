//! The server over a real socket, with a model that does what its texts say.

mod contract;
mod cors;
mod jobs;
mod lifecycle;
mod load;
mod models;
mod openai;
mod openapi;
mod operations;
mod query_cache;
mod realtime;
mod refusals;
mod routing;
mod upgrade;
