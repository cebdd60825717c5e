//! The real program as a worker of the platform, with a tiny real model.

use std::process::Output;
use std::sync::{Arc, Mutex, Weak};

use model::Precision;
use model::export::{self, Options};
use tempfile::TempDir;

use super::Platform;
use crate::support::models::checkpoint;
use crate::support::program::{Served, program};

/// The worker's credential: not what a bearer token looks like.
pub const KEY: &str = "rpa_KEY with=signs/";
/// The worker's name.
pub const POD: &str = "pod-1";
/// Every wait of the protocol is so many times shorter.
const DIVISOR: &str = "10";

/// A worker of the platform, ended with the test.
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
        let model = model();
        let directory = model.path().to_string_lossy().into_owned();
        let arguments = [&["--model-directory", directory.as_str()], arguments].concat();
        Self {
            served: Served::start_in(&arguments, &environment(platform, variables)),
            _model: Some(model),
        }
    }

    /// Starts a worker that is told where its model is.
    pub fn start_without_model(platform: &Platform, arguments: &[&str]) -> Self {
        Self {
            served: Served::start_in(arguments, &environment(platform, &[])),
            _model: None,
        }
    }

    /// What a worker leaves behind that cannot even begin.
    pub fn failing(platform: &Platform, variables: &[(&str, &str)]) -> Output {
        let environment = environment(platform, variables);
        program()
            .args(["serve", "--port", "0"])
            .envs(environment)
            .output()
            .unwrap()
    }
}

/// What RunPod sets in a worker's container, and `variables` instead or besides.
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
        ("RUNPOD_PING_INTERVAL", "1000".to_owned()),
        ("RUNPOD_AI_API_KEY", KEY.to_owned()),
        ("RUNPOD_POD_ID", POD.to_owned()),
        ("RUNPOD_ENDPOINT_ID", "endpoint-1".to_owned()),
        ("RUNPOD_QUERY__WORKER__TIME_DIVISOR", DIVISOR.to_owned()),
        ("RUNPOD_QUERY__ENGINE__THREADS", "1".to_owned()),
        // Nothing listens there: who asks a proxy gets nowhere.
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
    };
    export::export(&checkpoint("tiny-xlm-roberta"), directory.path(), &options).unwrap();
    *shared = Arc::downgrade(&directory);
    directory
}
