//! The platform of our own sees what no worker may do.

use std::panic::{AssertUnwindSafe, catch_unwind};

use reqwest::blocking::Client;

use super::health_check;
use crate::support::platform::{Fault, KEY, POD, Platform, Route};

/// A worker by hand.
struct Hand {
    client: Client,
    platform: Platform,
}

impl Hand {
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

    fn is_caught(&self) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.platform.check())).is_err()
    }
}

#[test]
fn an_error_that_is_sent_again_in_other_words_is_caught() {
    let hand = Hand::new();
    hand.platform.script(Route::Post, [Fault::Status(500)]);
    hand.take();
    hand.post(r#"{"error":"one"}"#);
    assert!(!hand.is_caught());
    hand.post(r#"{"error":"two"}"#);
    assert!(hand.is_caught());
}

#[test]
fn a_job_that_has_failed_and_is_delivered_again_may_end_otherwise() {
    let hand = Hand::new();
    for body in [r#"{"error":"one"}"#, r#"{"output":2}"#] {
        hand.take();
        hand.post(body);
    }
    assert!(!hand.is_caught());
}
