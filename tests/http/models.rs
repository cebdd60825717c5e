//! OpenAI's routes of the models: there is one, and it has several names.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::server::{TestServer, send, settings};

/// Where OpenAI's routes are.
const PREFIXES: [&str; 2] = ["/v1", "/v2/abc/openai/v1"];

/// A model without the time at which it was loaded, which must be a likely one.
#[track_caller]
fn timeless(mut model: Value) -> Value {
    assert!(model["created"].as_u64().unwrap() > 1_700_000_000);
    model["created"] = json!(0);
    model
}

fn expected() -> Value {
    json!({"id": "nobody/fake-model", "object": "model", "created": 0, "owned_by": "nobody"})
}

#[test]
fn the_one_model_is_listed() {
    let server = TestServer::start();
    for prefix in PREFIXES {
        let list = server.get(&format!("{prefix}/models")).json();
        assert_eq!(list["object"], "list");
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
        assert_eq!(timeless(list["data"][0].clone()), expected());
    }
}

#[test]
fn the_model_is_found_under_every_name_that_a_request_may_give() {
    let server = TestServer::start();
    for prefix in PREFIXES {
        for name in [
            "nobody/fake-model",
            "nobody%2Ffake-model",
            "nobody%2ffake%2Dmodel",
            "fake-model",
            "fake",
            "alias",
        ] {
            let answer = server.get(&format!("{prefix}/models/{name}"));
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            assert_eq!(timeless(answer.json()), expected(), "{name}");
        }
    }
}

#[test]
fn another_model_is_not_found_in_openais_format() {
    let server = TestServer::start();
    for name in [
        "gpt-4",
        "nobody",
        "nobody/fake",
        "fake/",
        "nobody%252Ffake-model",
        "%ff",
        "a/b/c",
    ] {
        let answer = server.get(&format!("/v1/models/{name}"));
        assert_eq!(answer.status, 404, "{name}: {answer:?}");
        let error = &answer.json()["error"];
        assert_eq!(error["code"], "model_not_found", "{answer:?}");
        assert_eq!(error["param"], "model", "{answer:?}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("nobody/fake-model"), "{answer:?}");
    }
    let nameless = server.get("/v1/models/").json();
    assert_eq!(nameless["error"]["code"], "not_found", "{nameless}");
}

#[test]
fn a_model_allows_only_reading() {
    let server = TestServer::start();
    for path in [
        "/v1/models/fake",
        "/v2/a/openai/v1/models/nobody/fake-model",
    ] {
        let answer = send(server.client.request(Method::DELETE, server.url(path)));
        assert_eq!(answer.status, 405, "{path}: {answer:?}");
        assert_eq!(answer.header("allow"), "GET, HEAD");
    }
}

#[test]
fn until_the_model_is_loaded_no_name_is_known() {
    let server = TestServer::start_loading(&settings());
    let answer = server.get("/v1/models/fake");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["error"]["code"], "unavailable");
}

#[test]
fn a_job_that_passes_the_request_on_has_the_model_as_output() {
    let server = TestServer::start();
    let output = |name: &str| {
        let job = server.run(json!({"openai_route": format!("/v1/models/{name}")}));
        job.json()["output"].clone()
    };
    for name in ["nobody/fake-model", "nobody%2Ffake-model", "fake"] {
        assert_eq!(timeless(output(name)), expected(), "{name}");
    }
    let unknown = output("gpt-4");
    assert_eq!(unknown["type"], "NotFoundError", "{unknown}");
    assert_eq!(unknown["param"], "model", "{unknown}");
}
