//! Clients that use every route of jobs, one after the other, and compare what they get. Some disconnect.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::{Value, json};

use super::texts::Texts;

const CLIENTS: u64 = 6;
/// Longest pause between two requests of a client, and before one disconnects.
const PAUSE_MILLISECONDS: u64 = 40;
const POLL: Duration = Duration::from_millis(20);
/// Statuses of a job that is not ended.
const UNFINISHED: [&str; 2] = ["IN_QUEUE", "IN_PROGRESS"];

/// What the clients have got.
#[derive(Default, Clone)]
pub struct Counts {
    /// Requests with the expected answer.
    pub answered: usize,
    /// Requests that were told to come again later.
    pub overloaded: usize,
    /// Requests whose client disconnected.
    pub dropped: usize,
    /// Every other answer.
    pub wrong: Vec<String>,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} answered, {} overloaded, {} dropped, {} wrong",
            self.answered,
            self.overloaded,
            self.dropped,
            self.wrong.len()
        )
    }
}

/// Running clients.
pub struct Clients {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    counts: Mutex<Counts>,
    is_over: AtomicBool,
}

impl Clients {
    pub fn start(address: &str, texts: &Texts) -> Self {
        let shared = Arc::new(Shared::default());
        let threads = (0..CLIENTS).map(|seed| {
            let mut one = OneClient {
                shared: Arc::clone(&shared),
                client: Client::builder().no_proxy().build().unwrap(),
                address: address.to_owned(),
                texts: texts.clone(),
                random: fastrand::Rng::with_seed(seed),
            };
            std::thread::spawn(move || one.run())
        });
        let threads = threads.collect();
        Self { shared, threads }
    }

    /// What they have got so far.
    pub fn counts(&self) -> Counts {
        self.shared.counts.lock().unwrap().clone()
    }

    /// Waits for the end of every client.
    pub fn stop(self) -> Counts {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        self.shared.counts.lock().unwrap().clone()
    }
}

struct OneClient {
    shared: Arc<Shared>,
    client: Client,
    address: String,
    texts: Texts,
    random: fastrand::Rng,
}

/// The status and body of an answer.
type Answer = reqwest::Result<(u16, Value)>;

impl OneClient {
    fn run(&mut self) {
        while !self.shared.is_over.load(Ordering::Relaxed) {
            if self.random.u8(..10) == 0 {
                self.disconnect();
                self.shared.counts.lock().unwrap().dropped += 1;
            } else {
                self.ask();
            }
            std::thread::sleep(Duration::from_millis(self.random.u64(..PAUSE_MILLISECONDS)));
        }
    }

    /// Sends a request and compares its answer.
    fn ask(&mut self) {
        let first = self.random.usize(..10_000);
        let numbers = first..first + self.random.usize(1..32);
        let list: Vec<_> = numbers
            .clone()
            .map(|number| self.texts.text(number))
            .collect();
        let vectors: Vec<_> = numbers.map(|number| self.texts.vector(number)).collect();
        let query = json!({"input": {"query": list[0]}});
        let embedding = json!({"embedding": vectors[0]});
        let embeddings = || json!({ "embeddings": vectors });
        let output = |mut job: Value| job["output"].take();
        let (answer, part, expected): (Answer, fn(Value) -> Value, Value) =
            match self.random.u8(..10) {
                0..4 => (self.post("/runsync", &query), output, embedding),
                4 => (
                    self.post("/runsync", &json!({"input": {"queries": list}})),
                    output,
                    embeddings(),
                ),
                5 => {
                    let input = json!({"input": {"action": "embed_batch", "texts": list}});
                    (
                        self.post("/v2/endpoint-1/runsync", &input),
                        output,
                        embeddings(),
                    )
                }
                6 => (
                    self.post("/v1/embeddings", &json!({"input": list})),
                    openai_vectors,
                    json!(vectors),
                ),
                7 => {
                    let blank = json!({"input": {"queries": [list[0], " "]}});
                    (
                        self.post("/runsync", &blank),
                        |mut job| job["error"].take(),
                        json!("invalid: queries[1] is blank"),
                    )
                }
                _ => (self.run_job(&query), output, embedding),
            };
        let mut counts = self.shared.counts.lock().unwrap();
        match answer {
            Ok((200, body)) if part(body.clone()) == expected => counts.answered += 1,
            Ok((429, _)) => counts.overloaded += 1,
            other => counts
                .wrong
                .push(format!("{other:?} for {} texts", vectors.len())),
        }
    }

    /// Submits a job and asks for its status until it has ended.
    fn run_job(&self, body: &Value) -> Answer {
        let (status, receipt) = self.post("/run", body)?;
        let Some(id) = receipt["id"].as_str() else {
            return Ok((status, receipt));
        };
        loop {
            let url = format!("http://{}/status/{id}", self.address);
            let response = self.client.get(url).send()?;
            let (status, job) = (response.status().as_u16(), parsed(&response.text()?));
            let is_unfinished = UNFINISHED
                .iter()
                .any(|unfinished| job["status"] == *unfinished);
            if !is_unfinished {
                return Ok((status, job));
            }
            std::thread::sleep(POLL);
        }
    }

    fn post(&self, route: &str, body: &Value) -> Answer {
        let request = self.client.post(format!("http://{}{route}", self.address));
        let request = request.header("content-type", "application/json");
        let response = request.body(body.to_string()).send()?;
        Ok((response.status().as_u16(), parsed(&response.text()?)))
    }

    /// Sends a request, or a part of it, and disconnects.
    fn disconnect(&mut self) {
        let route = self
            .random
            .choice(["/runsync", "/run", "/v1/embeddings"])
            .unwrap();
        let list: Vec<_> = (0..self.random.usize(1..64))
            .map(|number| self.texts.text(number))
            .collect();
        let body = match route {
            "/v1/embeddings" => json!({"input": list}),
            _ => json!({"input": {"queries": list}}),
        };
        let body = body.to_string();
        let head = format!(
            "POST {route} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = [head, body].concat();
        let sent = match self.random.u8(..3) {
            0 => self.random.usize(..request.len()),
            _ => request.len(),
        };
        // The server may be the first to close the connection, when it is overloaded.
        let written = stream.write_all(&request.as_bytes()[..sent]);
        if written.is_ok() && sent == request.len() && self.random.bool() {
            let _ = stream.read(&mut [0; 64]);
        }
        std::thread::sleep(Duration::from_millis(self.random.u64(..PAUSE_MILLISECONDS)));
    }
}

/// A body as JSON; what is not JSON is equal to nothing that is expected.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!({ "not JSON": text }))
}

fn openai_vectors(mut body: Value) -> Value {
    let items = body["data"].as_array_mut().map(std::mem::take);
    let vectors = items.unwrap_or_default().into_iter();
    vectors.map(|mut item| item["embedding"].take()).collect()
}
