//! The local platform's own check finds violations of the protocol.

use std::panic::{AssertUnwindSafe, catch_unwind};

use reqwest::blocking::Client;

use super::health_check;
use crate::support::platform::{Fault, KEY, POD, Platform, Route};

/// A worker whose requests the test sends.
struct ManualWorker {
    client: Client,
    platform: Platform,
}

impl ManualWorker {
    fn new() -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let platform = Platform::start();
        Self { client, platform }
    }

    fn take(&self) {
        self.platform.submit("a", &health_check());
        let query = "job-take/pod-1?gpu=NVIDIA+RTX+A5000&job_in_progress=0";
        let request = self.client.get(self.address(query));
        let answer = request.header("authorization", KEY).send().unwrap();
        assert_eq!(answer.status(), 200);
    }

    fn post(&self, body: &'static str) {
        let query = format!("job-done/{POD}/a?gpu=NVIDIA+RTX+A5000&isStream=false");
        let request = self.client.post(self.address(&query)).body(body);
        let headers = [
            ("authorization", KEY),
            ("content-type", "application/x-www-form-urlencoded"),
            ("charset", "utf-8"),
            ("x-request-id", "a"),
        ];
        let headers = headers.into_iter();
        let request = headers.fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        request.send().unwrap();
    }

    fn address(&self, query: &str) -> String {
        format!("http://{}/v2/endpoint-1/{query}", self.platform.address())
    }

    fn fails_check(&self) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.platform.check())).is_err()
    }
}

#[test]
fn the_check_fails_if_an_error_is_sent_again_with_another_text() {
    let worker = ManualWorker::new();
    worker.platform.script(Route::Post, [Fault::Status(500)]);
    worker.take();
    worker.post(r#"{"error":"one"}"#);
    assert!(!worker.fails_check());
    worker.post(r#"{"error":"two"}"#);
    assert!(worker.fails_check());
}

#[test]
fn the_check_passes_if_a_failed_job_is_delivered_again_and_completes() {
    let worker = ManualWorker::new();
    for body in [r#"{"error":"one"}"#, r#"{"output":2}"#] {
        worker.take();
        worker.post(body);
    }
    assert!(!worker.fails_check());
}
