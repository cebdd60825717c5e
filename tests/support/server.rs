//! The whole server on a free port with the fake model, and a client.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::rt::System;
use model::Output;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::HeaderMap;
use runpod_query::app::{Application, Error, ExitCode, Stopper};
use runpod_query::config::Settings;
use runpod_query::engine::Engine;
use runpod_query::runpod::ProtocolDurations;
use runpod_query::service::{Loaded, ModelInfo};
use serde_json::{Value, json};

use super::fake::{DIMENSIONS, MAX_TOKENS, Script, fake, tokenizer};

/// A running server whose model is the fake one.
pub struct TestServer {
    pub script: Script,
    pub client: Client,
    pub health_port: Option<u16>,
    address: String,
    stopper: Stopper,
    loader: Sender<Result<(), String>>,
    thread: Option<JoinHandle<ExitCode>>,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body, which must be JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Names of the body's fields, in alphabetical order.
    pub fn fields(&self) -> Vec<String> {
        let body = self.json();
        body.as_object().unwrap().keys().cloned().collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Fails unless this is an error with this status, code and text.
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        let body = self.json();
        let fields: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["code", "message"], "{self:?}");
        assert_eq!(body["code"], code, "{self:?}");
        assert!(
            body["message"].as_str().unwrap().contains(words),
            "{self:?}"
        );
        assert!(!self.header("x-request-id").is_empty(), "{self:?}");
    }
}

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Shutdown grace, long enough for a busy machine.
const GRACE_SECONDS: NonZeroUsize = NonZeroUsize::new(60).unwrap();

/// Settings for a test: loopback, a free port.
pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.server.host = "127.0.0.1".to_owned();
    settings.server.port = 0;
    settings.server.shutdown_grace_seconds = GRACE_SECONDS;
    settings
}

impl TestServer {
    /// A server whose model is loaded.
    pub fn start() -> Self {
        Self::start_with(&settings())
    }

    /// As [`TestServer::start`], with other settings.
    pub fn start_with(settings: &Settings) -> Self {
        let server = Self::start_loading(settings);
        server.finish_loading(Ok(()));
        super::fake::wait_until("the server to be ready", || {
            server.get("/ping").status == 200
        });
        server
    }

    /// A server that loads until [`TestServer::finish_loading`].
    pub fn start_loading(settings: &Settings) -> Self {
        Self::try_start_loading(settings).unwrap()
    }

    /// As [`TestServer::start_loading`], or why it cannot start.
    pub fn try_start_loading(settings: &Settings) -> Result<Self, Error> {
        let (encoder, script) = fake();
        let (loader, loaded) = channel();
        let (started, start) = channel();
        let settings = settings.clone();
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let engine = settings.engine.clone();
                let load = move || {
                    load(&loaded, || {
                        Engine::spawn(encoder, tokenizer(), &engine).unwrap()
                    })
                };
                let application =
                    match Application::build(&settings, ProtocolDurations::default(), load).await {
                        Ok(application) => application,
                        Err(error) => {
                            started.send(Err(error)).unwrap();
                            return ExitCode::FAILURE;
                        }
                    };
                let (port, health_port) = (application.port(), application.health_port());
                let stopper = application.stopper();
                started.send(Ok((port, health_port, stopper))).unwrap();
                application.run_until_stopped().await
            })
        });
        let (port, health_port, stopper) = start.recv().unwrap()?;
        Ok(Self {
            script,
            health_port,
            client: Client::builder()
                .timeout(TIMEOUT)
                .no_proxy()
                .build()
                .unwrap(),
            address: format!("http://127.0.0.1:{port}"),
            stopper,
            loader,
            thread: Some(thread),
        })
    }

    pub fn finish_loading(&self, outcome: Result<(), String>) {
        self.loader.send(outcome).unwrap();
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> Answer {
        send(self.client.get(self.url(path)))
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        let request = self
            .client
            .post(self.url(path))
            .header("content-type", "application/json");
        send(request.body(body.to_owned()))
    }

    /// Runs a job.
    pub fn run(&self, input: Value) -> Answer {
        self.post("/runsync", &json!({ "input": input }).to_string())
    }

    /// Runs a job on a separate thread, as another client.
    pub fn run_beside(&self, input: Value) -> JoinHandle<Answer> {
        let body = json!({ "input": input }).to_string();
        let request = self
            .client
            .post(self.url("/runsync"))
            .header("content-type", "application/json");
        std::thread::spawn(move || send(request.body(body)))
    }

    /// The jobs that `/health` counts as waiting, and as running.
    pub fn jobs(&self) -> (u64, u64) {
        let jobs = &self.get("/health").json()["jobs"];
        (
            jobs["inQueue"].as_u64().unwrap(),
            jobs["inProgress"].as_u64().unwrap(),
        )
    }

    /// Stops the server without waiting for it.
    pub fn begin_stop(&self) {
        self.stopper.stop();
    }

    /// Waits for the end and gives the exit code.
    #[track_caller]
    pub fn exit_code(mut self) -> ExitCode {
        let thread = self.thread.take().unwrap();
        super::fake::wait_until("the server to end", || thread.is_finished());
        thread.join().unwrap()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

/// Sends a request and reads the answer to its end.
#[track_caller]
pub fn send(request: RequestBuilder) -> Answer {
    let response = request.send().unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().unwrap(),
    }
}

fn load(
    outcome: &Receiver<Result<(), String>>,
    engine: impl FnOnce() -> Engine,
) -> Result<Loaded, String> {
    // The test may end before it finishes loading.
    outcome
        .recv()
        .unwrap_or_else(|_| Err("the test has ended".to_owned()))?;
    Ok(Loaded {
        engine: engine(),
        model: ModelInfo {
            name: "fake".to_owned(),
            repository: Some("nobody/fake-model".to_owned()),
            aliases: vec!["alias".to_owned()],
            revision: None,
            precision: "fp32".to_owned(),
            dimensions: DIMENSIONS,
            outputs: Output::ALL.into_iter().collect(),
            colbert_dimensions: Some(DIMENSIONS),
            max_tokens: MAX_TOKENS,
            quality: None,
        },
    })
}
