//! Web pages of other origins: which may read the answers.

use reqwest::Method;
use serde_json::json;

use crate::support::server::{Answer, TestServer, send, settings};

const APP: &str = "https://app.example";
const OTHER: &str = "https://other.example";

/// A server with a key, whose answers pages of `origins` may read.
fn start(origins: &[&str]) -> TestServer {
    let mut settings = settings();
    settings.server.api_key = Some("a key".into());
    settings.server.cors_allowed_origins =
        origins.iter().map(|&origin| origin.to_owned()).collect();
    TestServer::start_with(&settings)
}

/// What a browser asks before a page may call.
fn preflight(server: &TestServer, path: &str, origin: &str) -> Answer {
    let request = server
        .client
        .request(Method::OPTIONS, server.url(path))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,x-stainless-arch,x-stainless-retry-count",
        );
    send(request)
}

/// What a page of `origin` asks.
fn ask(server: &TestServer, path: &str, origin: &str, body: &str) -> Answer {
    let request = server
        .client
        .post(server.url(path))
        .header("origin", origin)
        .header("authorization", "Bearer a key")
        .header("content-type", "application/json");
    send(request.body(body.to_owned()))
}

#[test]
fn a_browser_may_ask_first_without_the_key() {
    let server = start(&[OTHER, APP]);
    for path in ["/v1/embeddings", "/runsync", "/v2/a/openai/v1/embeddings"] {
        let answer = preflight(&server, path, APP);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), APP);
        assert!(
            answer
                .header("access-control-allow-methods")
                .contains("POST")
        );
        let headers = answer.header("access-control-allow-headers");
        for header in ["authorization", "content-type", "x-stainless-retry-count"] {
            assert!(headers.contains(header), "{headers}");
        }
        assert!(!answer.header("x-request-id").is_empty());
    }
}

#[test]
fn an_allowed_page_may_read_every_answer_and_its_headers() {
    let server = start(&[APP]);
    let embeddings = "/v1/embeddings";
    for (path, body, status) in [
        (embeddings, json!({"input": "w1"}).to_string(), 200),
        (
            "/runsync",
            json!({"input": {"query": "w1"}}).to_string(),
            200,
        ),
        (embeddings, json!({"input": " "}).to_string(), 422),
        (embeddings, "{".to_owned(), 400),
        (
            embeddings,
            json!({"input": "w1", "model": "x"}).to_string(),
            404,
        ),
        ("/nothing", String::new(), 404),
        ("/ping", String::new(), 405),
    ] {
        let answer = ask(&server, path, APP, &body);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), APP, "{path}");
        let exposed = answer.header("access-control-expose-headers");
        for header in ["x-request-id", "retry-after", "x-runpod-worker-id"] {
            assert!(exposed.contains(header), "{exposed}");
        }
    }
    let keyless = server
        .client
        .get(server.url("/health"))
        .header("origin", APP);
    let keyless = send(keyless);
    keyless.assert_error(401, "unauthorized", "Authorization");
    assert_eq!(keyless.header("access-control-allow-origin"), APP);
}

#[test]
fn a_page_of_another_origin_may_read_nothing() {
    let server = start(&[APP]);
    let refused = preflight(&server, "/runsync", OTHER);
    refused.assert_error(400, "malformed", "origin is \"https://other.example\"");
    assert_eq!(refused.header("access-control-allow-origin"), "");
    let refused = preflight(&server, "/v1/embeddings", OTHER);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"]["code"], "malformed");
    // Programs send this header as well; nothing keeps them from reading.
    let answer = ask(&server, "/v1/embeddings", OTHER, r#"{"input":"w1"}"#);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[test]
fn an_asterisk_allows_the_pages_of_every_origin() {
    let server = start(&["*"]);
    for origin in [APP, OTHER] {
        let answer = preflight(&server, "/v1/embeddings", origin);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let answer = ask(&server, "/v1/embeddings", origin, r#"{"input":"w1"}"#);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

#[test]
fn without_the_setting_no_answer_speaks_of_origins() {
    let server = TestServer::start();
    let refused = preflight(&server, "/runsync", APP);
    refused.assert_error(405, "method_not_allowed", "POST");
    let answered = ask(&server, "/runsync", APP, r#"{"input":{"query":"w1"}}"#);
    assert_eq!(answered.status, 200);
    for answer in [refused, answered] {
        let names = answer
            .headers
            .keys()
            .map(reqwest::header::HeaderName::as_str);
        let spoken: Vec<_> = names
            .filter(|name| name.starts_with("access-control") || *name == "vary")
            .collect();
        assert!(spoken.is_empty(), "{spoken:?}");
    }
}

#[test]
fn what_is_no_origin_stops_the_start() {
    for wrong in ["app.example", "https://app.example/page", ""] {
        let mut settings = settings();
        settings.server.cors_allowed_origins = vec![APP.to_owned(), wrong.to_owned()];
        let Err(error) = TestServer::try_start_loading(&settings) else {
            panic!("started with {wrong}");
        };
        let message = runpod_query::service::with_causes(&error);
        assert!(message.contains("server.cors_allowed_origins"), "{message}");
        assert!(message.contains(&format!("{wrong:?}")), "{message}");
    }
}
