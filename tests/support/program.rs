//! The real program as a child process, with the small real model.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::{Value, json};

/// Longest wait of a test: the first start downloads the model.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Shutdown grace and request timeout, long enough for a busy machine.
const LONG_TIMES: [(&str, &str); 2] = [
    ("RUNPOD_QUERY__SERVER__SHUTDOWN_GRACE_SECONDS", "300"),
    ("RUNPOD_QUERY__SERVER__REQUEST_TIMEOUT_SECONDS", "300"),
];
/// Precedes the address in the log.
const ADDRESS: &str = "address=";

/// A command for the program, without arguments.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_runpod-query"))
}

/// A running `serve`, killed at the end of the test.
pub struct Served {
    child: Child,
    address: String,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    client: Client,
}

impl Served {
    /// Starts `serve` on a free port; does not wait until the model is loaded.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_in(arguments, &[])
    }

    /// As [`Served::start`], with more environment variables.
    pub fn start_in(arguments: &[&str], environment: &[(&str, String)]) -> Self {
        let mut command = program();
        command
            .args(["serve", "--host", "127.0.0.1", "--port", "0"])
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)));
        Self::spawn(command)
    }

    /// Starts a command that serves; does not wait until the model is loaded. It has [`LONG_TIMES`], unless
    /// the command says otherwise.
    pub fn spawn(mut command: Command) -> Self {
        for (name, value) in LONG_TIMES {
            if command.get_envs().all(|(given, _)| given != name) {
                command.env(name, value);
            }
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (sender, address) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let reader = std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in stderr.lines().map_while(Result::ok) {
                    if let Some((_, address)) = line.split_once(ADDRESS) {
                        // In a JSON log the text continues after the address.
                        let address = address.split('"').next().unwrap_or_default();
                        sender.send(address.trim().to_owned()).unwrap();
                    }
                    log.lock().unwrap().push(line);
                }
            }
        });
        Self {
            child,
            address: address.recv_timeout(TIMEOUT).unwrap(),
            log,
            reader: Some(reader),
            client: Client::builder()
                .no_proxy()
                .timeout(TIMEOUT)
                .build()
                .unwrap(),
        }
    }

    /// Starts `serve` with the small real model and waits until it is loaded.
    pub fn ready() -> Self {
        let served = Self::start(&["--model", "minilm"]);
        served.wait_for_status(200);
        served
    }

    /// Address that it listens on.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Address of a route.
    pub fn url(&self, route: &str) -> String {
        format!("http://{}{route}", self.address)
    }

    /// Status of the probe.
    pub fn ping(&self) -> u16 {
        self.client
            .get(self.url("/ping"))
            .send()
            .unwrap()
            .status()
            .as_u16()
    }

    /// Waits until the probe answers `status`.
    pub fn wait_for_status(&self, status: u16) {
        let begin = Instant::now();
        while self.ping() != status {
            assert!(begin.elapsed() < TIMEOUT, "/ping never answered {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the log has `words`: a line is read a moment after it was written.
    pub fn wait_for_log(&self, words: &str) {
        let begin = Instant::now();
        while !self.log().contains(words) {
            assert!(begin.elapsed() < TIMEOUT, "no {words}: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The response of `/health`.
    pub fn health(&self) -> Value {
        serde_json::from_str(&self.get("/health")).unwrap()
    }

    /// The body of an answer.
    pub fn get(&self, route: &str) -> String {
        let answer = self.client.get(self.url(route)).send().unwrap();
        answer.text().unwrap()
    }

    /// The answer to a job.
    pub fn run(&self, input: &Value) -> Value {
        self.post("/runsync", &json!({ "input": input })).unwrap().1
    }

    /// The status and the body of an answer, or how the connection failed.
    pub fn post(&self, route: &str, body: &Value) -> reqwest::Result<(u16, Value)> {
        let request = self
            .client
            .post(self.url(route))
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send()?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_str(&answer.text()?).unwrap()))
    }

    /// The vector of a query.
    pub fn embed(&self, query: &str) -> Vec<f32> {
        floats(&self.run(&json!({ "query": query }))["output"]["embedding"])
    }

    /// The log so far; after [`Served::wait`] the whole log.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let mut lines = status.lines();
        let line = lines.find(|line| line.starts_with("VmRSS:")).unwrap();
        let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes * 1024
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status();
        assert!(status.unwrap().success());
    }

    /// Sends SIGTERM and fails the test unless the exit code is zero.
    #[track_caller]
    pub fn stop(&mut self) {
        self.signal("TERM");
        assert_eq!(self.wait().code(), Some(0), "{}", self.log());
    }

    /// Waits for the end of the program.
    pub fn wait(&mut self) -> ExitStatus {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begin.elapsed() < TIMEOUT, "no end: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The test may have ended it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A JSON array as floats.
pub fn floats(array: &Value) -> Vec<f32> {
    serde_json::from_value(array.clone()).unwrap()
}
