//! What the worker sent.

use std::time::Instant;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// To get jobs.
    Take,
    /// To bring a result.
    Post,
    /// To say that it lives.
    Ping,
    /// To learn which jobs are to be stopped.
    Stop,
    /// No worker has a reason to ask for it.
    Unknown,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    pub at: Instant,
    pub route: Route,
    pub method: String,
    pub path: String,
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(given, _)| given == name);
        header.map(|(_, value)| value.as_str())
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let value = pairs.into_iter().find(|(given, _)| *given == name)?.1;
        let decoded = percent_encoding::percent_decode_str(value).decode_utf8();
        Some(decoded.unwrap().into_owned())
    }

    /// The jobs that a heartbeat names.
    pub fn jobs(&self) -> Vec<String> {
        let ids = self.parameter("job_id");
        ids.map_or_else(Vec::new, |ids| ids.split(',').map(str::to_owned).collect())
    }
}

/// An attempt to post a result.
#[derive(Debug, Clone)]
pub struct Post {
    pub id: String,
    pub at: Instant,
    pub body: Vec<u8>,
    /// What it was answered with; 0 for a connection that was reset before.
    pub status: u16,
    /// Whether the platform has kept it.
    pub is_accepted: bool,
}
