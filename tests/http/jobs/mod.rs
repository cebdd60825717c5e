//! Jobs that go on by themselves: handed in, looked up, taken back, tried again.

mod lifecycle;
mod limits;
mod purge;
mod stream;
mod webhook;

use runpod_query::config::Settings;
use serde_json::{Value, json};
use url::Host;

use crate::support::fake::wait_until;
use crate::support::server::{TestServer, settings};

/// Settings with which webhooks may name `hosts`.
fn settings_with_webhooks_to(hosts: &[&str]) -> Settings {
    let mut settings = settings();
    let hosts = hosts.iter().map(|host| Host::parse(host).unwrap());
    settings.jobs.webhook_hosts = hosts.collect();
    settings
}

/// Hands a job in and gives its name.
#[track_caller]
fn submit(server: &TestServer, input: &Value) -> String {
    submit_with(server, json!({ "input": input }))
}

/// As [`submit`], with an envelope of one's own.
#[track_caller]
fn submit_with(server: &TestServer, envelope: Value) -> String {
    let answer = server.post("/run", &envelope.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.fields(), ["id", "status"]);
    let receipt = answer.json();
    assert_eq!(receipt["status"], "IN_QUEUE");
    receipt["id"].as_str().unwrap().to_owned()
}

fn status(server: &TestServer, id: &str) -> Value {
    server.get(&format!("/status/{id}")).json()
}

/// Waits until a job has a status and gives its report.
#[track_caller]
fn wait_for(server: &TestServer, id: &str, expected: &str) -> Value {
    wait_until(&format!("the job to be {expected}"), || {
        status(server, id)["status"] == expected
    });
    status(server, id)
}
