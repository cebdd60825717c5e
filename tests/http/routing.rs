//! Addresses and methods, and what every answer has in common.

use reqwest::Method;
use serde_json::json;

use crate::support::server::{TestServer, send};

#[test]
fn an_address_that_does_not_exist_is_not_found() {
    let server = TestServer::start();
    for path in [
        "/nothing",
        "/runsync/",
        "/v2/abc",
        "/v2/abc/nothing",
        "/%ff%00",
        "/pi%6Eg/x",
    ] {
        server.get(path).assert_error(404, "not_found", "/docs");
        server
            .post(path, "{}")
            .assert_error(404, "not_found", "/docs");
    }
    server
        .get("/docs/nothing.js")
        .assert_error(404, "not_found", "/docs");
}

#[test]
fn a_wrong_method_gets_the_allowed_ones() {
    let server = TestServer::start();
    for (method, path, allowed) in [
        (Method::GET, "/runsync", "POST"),
        (Method::HEAD, "/runsync", "POST"),
        (Method::OPTIONS, "/runsync", "POST"),
        (Method::DELETE, "/v2/abc/runsync", "POST"),
        (Method::POST, "/ping", "GET, HEAD"),
        (Method::PUT, "/health", "GET, HEAD"),
        (Method::DELETE, "/status/abc", "GET, HEAD, POST"),
        (Method::PUT, "/v2/abc/stream/abc", "GET, HEAD, POST"),
        (Method::GET, "/cancel/abc", "POST"),
        (Method::GET, "/purge-queue", "POST"),
        (Method::POST, "/v2/abc/health", "GET, HEAD"),
        (Method::POST, "/docs", "GET, HEAD"),
        (Method::POST, "/docs/index.html", "GET, HEAD"),
        (Method::POST, "/", "GET, HEAD"),
        (Method::POST, "/openapi.json", "GET, HEAD"),
        (Method::from_bytes(b"BREW").unwrap(), "/ping", "GET, HEAD"),
    ] {
        let has_body = method != Method::HEAD;
        let answer = send(server.client.request(method.clone(), server.url(path)));
        assert_eq!(
            answer.header("allow"),
            allowed,
            "{method} {path}: {answer:?}"
        );
        assert_eq!(answer.status, 405);
        if has_body {
            answer.assert_error(405, "method_not_allowed", allowed);
        }
    }
}

#[test]
fn head_is_answered_like_get_but_without_a_body() {
    let server = TestServer::start();
    for path in ["/ping", "/health", "/openapi.json", "/docs/"] {
        let got = server.get(path);
        let answer = send(server.client.head(server.url(path)));
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.text, "");
        assert_eq!(
            answer.header("content-length"),
            got.text.len().to_string(),
            "{path}"
        );
    }
    // The connection is still in step.
    assert_eq!(server.get("/ping").status, 200);
}

#[test]
fn every_answer_has_a_request_id_and_keeps_a_sane_one() {
    let server = TestServer::start();
    let answer = |id: &str| {
        send(
            server
                .client
                .get(server.url("/ping"))
                .header("x-request-id", id),
        )
    };
    assert_eq!(answer("abc-123").header("x-request-id"), "abc-123");
    for insane in ["", "a b", &"x".repeat(129)] {
        assert_eq!(answer(insane).header("x-request-id").len(), 36, "{insane}");
    }
    let first = server.run(json!({"query": "w1"}));
    let second = server.run(json!({"query": "w1"}));
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[test]
fn the_root_leads_to_the_documentation() {
    let server = TestServer::start();
    for path in ["/", "/docs", "/docs/"] {
        let page = server.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.contains("swagger-ui"), "{path}");
    }
    for file in [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-initializer.js",
    ] {
        assert_eq!(server.get(&format!("/docs/{file}")).status, 200, "{file}");
    }
    assert!(
        server
            .get("/docs/swagger-initializer.js")
            .text
            .contains("\"../openapi.json\"")
    );
}

#[test]
fn the_way_to_the_documentation_holds_under_any_prefix() {
    let server = TestServer::start();
    let follows_nothing = reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    for path in ["/", "/docs"] {
        let answer = send(follows_nothing.get(server.url(path)));
        assert_eq!(answer.status, 307, "{path}");
        assert_eq!(answer.header("location"), "docs/", "{path}");
    }
    let document = server.get("/openapi.json").json();
    assert_eq!(document["servers"], json!([{"url": "."}]));
    let servers = &document["paths"]["/runsync"]["servers"];
    assert_eq!(servers[0]["url"], ".");
    assert_eq!(servers[1]["url"], "./v2/{endpoint}");
}
