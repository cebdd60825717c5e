//! A job with a bare result.

use serde_json::json;

use crate::support::server::TestServer;

#[test]
fn a_job_at_the_realtime_address_is_answered_by_its_bare_result() {
    let server = TestServer::start();
    let ask = |input| {
        let body = json!({"id": "mine", "input": input}).to_string();
        let answer = server.post("/abc123/realtime", &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    };
    let query = ask(json!({"query": "w7 w8"}));
    assert_eq!(query.fields(), ["output"]);
    let runsync = server.run(json!({"query": "w7 w8"})).json();
    assert_eq!(query.json()["output"], runsync["output"]);

    let blank = ask(json!({"query": " "}));
    assert_eq!(blank.json(), json!({"error": "invalid: query is blank"}));
    assert_eq!(blank.fields(), ["error"]);
}

#[test]
fn a_malformed_job_is_an_error_at_the_realtime_address_too() {
    let server = TestServer::start();
    let refused = server.post("/abc123/realtime", "{}");
    refused.assert_error(400, "malformed", "input is missing");
    let refused = server.get("/abc123/realtime");
    refused.assert_error(405, "method_not_allowed", "POST");
}
