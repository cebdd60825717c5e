//! Records of the worker's requests.

use std::time::Instant;

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// Takes jobs.
    Take,
    /// Posts a result.
    Post,
    /// Sends a heartbeat.
    Ping,
    /// Asks which jobs to stop.
    Stop,
    /// A path that no worker requests.
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
    /// Status of the response; 0 without a response.
    pub status: u16,
    /// Whether the platform accepted it.
    pub is_accepted: bool,
}
