//! What the log never shows.

use serde_json::{Value, json};

use crate::support::listener::Listener;
use crate::support::program::Served;

#[test]
fn no_filter_brings_a_text_or_the_host_of_a_webhook_into_the_log() {
    let variables = [
        (
            "RUST_LOG",
            "trace,reqwest::connect=trace,hyper_util::client=trace".to_owned(),
        ),
        ("RUNPOD_QUERY__JOBS__WEBHOOK_HOSTS", "localhost".to_owned()),
    ];
    let mut served = Served::start_in(&["--model", "minilm"], &variables);
    served.wait_for_status(200);
    let listener = Listener::answering(&[200]);
    let port = listener.url_at("", "").replace("http://", "");
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .build()
        .unwrap();
    let post = |webhook: &str| {
        let body = json!({"input": {"query": "zebra"}, "webhook": webhook}).to_string();
        let request = client
            .post(served.url("/run"))
            .header("content-type", "application/json")
            .header("authorization", "Bearer giraffe");
        let answer = request.body(body).send().unwrap().text().unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()["status"].clone()
    };
    let webhooks = [
        listener.url_at("localhost", "/giraffe"),
        "http://giraffe.invalid/".to_owned(),
        "https://localhost:1/giraffe".to_owned(),
    ];
    for webhook in &webhooks {
        assert_eq!(post(webhook), "IN_QUEUE");
    }
    listener.next();
    for words in [
        "webhook attempt=1 delivered",
        "webhook attempt=1 of 3 failed: the host's name cannot be resolved",
        "webhook attempt=1 of 3 failed: the connection failed: connection refused",
        "DEBUG runpod_query",
    ] {
        served.wait_for_log(words);
    }
    served.stop();
    let log = served.log();
    for words in ["zebra", "giraffe", "localhost", port.as_str()] {
        let line = log.lines().find(|line| line.to_lowercase().contains(words));
        assert_eq!(line, None, "{words}");
    }
}
