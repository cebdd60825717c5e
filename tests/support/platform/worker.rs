//! The real program as a worker of the platform, with a tiny real model.

use std::ffi::OsString;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, Weak};

use model::Precision;
use model::export::{self, Options};
use runpod_query::cli;
use runpod_query::runpod::ProtocolDurations;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::Platform;
use crate::support::models::checkpoint;
use crate::support::program::{Served, program};

/// The worker's credential, which is not a valid bearer token.
pub const KEY: &str = "rpa_KEY with=signs/";
/// The worker's id.
pub const POD: &str = "pod-1";
/// Default divisor of the protocol's durations.
const DIVISOR: u32 = 10;
/// Variable with the [`Child`] that [`a_worker_in_a_child_process`] runs.
const CHILD: &str = "TEST_WORKER";

/// A worker of the platform, killed at the end of the test.
pub struct QueueWorker {
    pub served: Served,
    _model: Option<Arc<TempDir>>,
}

impl QueueWorker {
    /// Starts a worker; does not wait until it is ready.
    pub fn start(platform: &Platform) -> Self {
        Self::start_with(platform, &[], &[])
    }

    /// As [`QueueWorker::start`], with more arguments and variables.
    pub fn start_with(platform: &Platform, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_scaled(DIVISOR, platform, arguments, variables)
    }

    /// As [`QueueWorker::start_with`], with every duration of the protocol divided by `divisor`.
    pub fn start_scaled(
        divisor: u32,
        platform: &Platform,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let model = model();
        let directory = model.path().to_string_lossy().into_owned();
        let arguments = [&["--model-directory", directory.as_str()], arguments].concat();
        Self {
            served: Served::spawn(child(divisor, platform, &arguments, variables)),
            _model: Some(model),
        }
    }

    /// Starts a worker whose arguments name its model.
    pub fn start_without_model(platform: &Platform, arguments: &[&str]) -> Self {
        Self::start_without_model_in(platform, arguments, &[])
    }

    /// As [`QueueWorker::start_without_model`], with more variables.
    pub fn start_without_model_in(
        platform: &Platform,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        Self {
            served: Served::spawn(child(DIVISOR, platform, arguments, variables)),
            _model: None,
        }
    }

    /// Output of a worker that fails to start.
    pub fn failing(platform: &Platform, variables: &[(&str, &str)]) -> Output {
        let environment = environment(platform, variables);
        program()
            .args(["serve", "--port", "0"])
            .envs(environment)
            .output()
            .unwrap()
    }
}

/// What a child process runs.
#[derive(Serialize, Deserialize)]
struct Child {
    /// Arguments after the program's name.
    arguments: Vec<String>,
    /// Divisor of the protocol's durations.
    divisor: u32,
}

/// A process of this test binary that runs the program with shorter durations.
fn child(
    divisor: u32,
    platform: &Platform,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Command {
    let arguments = [&["serve", "--host", "127.0.0.1", "--port", "0"], arguments].concat();
    let child = Child {
        arguments: arguments.into_iter().map(str::to_owned).collect(),
        divisor,
    };
    let test = concat!(module_path!(), "::a_worker_in_a_child_process");
    // The harness names tests without the crate.
    let test = test.split_once("::").unwrap().1;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .envs(environment(platform, variables))
        .env(CHILD, serde_json::to_string(&child).unwrap())
        .stdout(Stdio::null());
    command
}

#[test]
#[ignore = "a child process of other tests: it runs the program with durations that no setting can choose"]
fn a_worker_in_a_child_process() {
    let Ok(child) = std::env::var(CHILD) else {
        return;
    };
    let child: Child = serde_json::from_str(&child).unwrap();
    let words = ["runpod-query".to_owned()]
        .into_iter()
        .chain(child.arguments);
    let durations = ProtocolDurations::default().scaled_down(child.divisor);
    cli::run(words.map(OsString::from), durations);
}

/// The environment of a worker's container, with `variables` overriding it.
fn environment<'a>(platform: &Platform, variables: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    let base = format!("http://{}/v2/endpoint-1", platform.address());
    let machine = "?gpu=NVIDIA+RTX+A5000";
    let mut environment = vec![
        (
            "RUNPOD_WEBHOOK_GET_JOB",
            format!("{base}/job-take/$ID{machine}"),
        ),
        (
            "RUNPOD_WEBHOOK_POST_OUTPUT",
            format!("{base}/job-done/$RUNPOD_POD_ID/$ID{machine}"),
        ),
        ("RUNPOD_WEBHOOK_PING", format!("{base}/ping/$RUNPOD_POD_ID")),
        ("RUNPOD_PING_INTERVAL", "100".to_owned()),
        ("RUNPOD_AI_API_KEY", KEY.to_owned()),
        ("RUNPOD_POD_ID", POD.to_owned()),
        ("RUNPOD_ENDPOINT_ID", "endpoint-1".to_owned()),
        ("RUNPOD_QUERY__ENGINE__THREADS", "1".to_owned()),
        // Nothing listens there, so a request through a proxy fails.
        ("http_proxy", "http://127.0.0.1:9".to_owned()),
    ];
    environment.extend(
        variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    environment
}

/// The model directory, shared by the tests that need it at the same time.
fn model() -> Arc<TempDir> {
    static SHARED: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    if let Some(directory) = shared.upgrade() {
        return directory;
    }
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let options = Options {
        name: "tiny".to_owned(),
        revision: None,
        precision: Precision::Fp32,
        pooling: None,
    };
    export::export(&checkpoint("tiny-xlm-roberta"), directory.path(), &options).unwrap();
    *shared = Arc::downgrade(&directory);
    directory
}
