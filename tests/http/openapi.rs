//! The OpenAPI document: complete, true, and the one that is checked in.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use runpod_query::config::Limits;
use runpod_query::http::{openapi, status};
use runpod_query::service::Code;
use serde_json::{Value, json};

use crate::support::server::{TestServer, settings};

const CHECKED_IN: &str = include_str!("../../openapi/openapi.json");

/// Texts of the longest list, by default.
fn limit() -> usize {
    Limits::default().texts_per_call.get()
}

fn document() -> Value {
    serde_json::to_value(openapi(limit())).unwrap()
}

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = ["get", "put", "post", "delete", "patch"];
            methods.into_iter().filter_map(move |method| {
                let operation = item.get(method)?.clone();
                Some((path.clone(), method.to_owned(), operation))
            })
        })
        .collect()
}

#[test]
fn the_document_that_is_checked_in_is_the_one_that_is_served() {
    let current = format!("{}\n", openapi(limit()).to_pretty_json().unwrap());
    assert!(
        CHECKED_IN == current,
        "openapi/openapi.json is stale; renew it with: cargo run -- openapi > openapi/openapi.json"
    );
    assert_eq!(TestServer::start().get("/openapi.json").json(), document());
}

#[test]
fn every_list_of_texts_has_its_limit_which_is_a_setting() {
    let mut settings = settings();
    settings.limits.texts_per_call = NonZeroUsize::new(7).unwrap();
    let document = TestServer::start_with(&settings)
        .get("/openapi.json")
        .json();
    let schemas = &document["components"]["schemas"];
    for list in [
        &schemas["Input"]["properties"]["queries"],
        &schemas["Input"]["properties"]["texts"],
        &schemas["EmbeddingsRequest"]["properties"]["input"]["oneOf"][1],
    ] {
        assert_eq!(list["maxItems"], 7, "{list}");
    }
}

#[test]
fn every_operation_explains_itself() {
    let document = document();
    let mut names = HashSet::new();
    for (path, method, operation) in operations(&document) {
        for field in ["summary", "description", "operationId"] {
            let text = operation[field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{method} {path} has no {field}");
        }
        assert!(
            !operation["tags"].as_array().unwrap().is_empty(),
            "{method} {path} has no tag"
        );
        assert!(
            names.insert(operation["operationId"].clone()),
            "{method} {path} has a second one's name"
        );
    }
    assert!(!names.is_empty());
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["info"]["license"]["name"], "MIT");
}

#[test]
fn every_error_code_is_documented() {
    let document = document();
    let codes = &document["components"]["schemas"]["Code"];
    for code in Code::ALL {
        assert!(
            codes.to_string().contains(&format!("\"{code}\"")),
            "{codes}"
        );
        let response = &document["components"]["responses"][code.as_str()];
        let example = &response["content"]["application/json"]["example"];
        assert_eq!(example["code"], code.as_str());
        assert!(!example["message"].as_str().unwrap().is_empty());
        assert_eq!(
            response["content"]["application/json"]["schema"]["$ref"],
            "#/components/schemas/ErrorBody"
        );
    }
}

#[test]
fn every_failure_of_a_route_is_documented_under_its_status() {
    let runsync = &document()["paths"]["/runsync"]["post"]["responses"];
    for code in Code::ALL {
        let reference = runsync
            .get(status(code).as_str())
            .map(|response| &response["$ref"]);
        if let Some(reference) = reference {
            assert_eq!(*reference, format!("#/components/responses/{code}"));
        }
    }
    for code in [
        Code::Malformed,
        Code::TooLarge,
        Code::Overloaded,
        Code::Unavailable,
        Code::Timeout,
        Code::Internal,
    ] {
        assert!(runsync.get(status(code).as_str()).is_some(), "{code}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            found.push(target.to_owned());
        }
        let fields = value
            .as_object()
            .into_iter()
            .flat_map(serde_json::Map::values);
        let members = value.as_array().into_iter().flatten();
        for inner in fields.chain(members) {
            references(inner, found);
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn the_examples_can_be_sent_as_they_are() {
    let server = TestServer::start();
    let document = document();
    let examples = &document["paths"]["/runsync"]["post"]["requestBody"]["content"]["application/json"]
        ["examples"];
    let examples = examples.as_object().unwrap();
    // What Swagger UI offers first.
    assert_eq!(
        examples.values().next().unwrap()["value"],
        json!({"input": {"query": "What is machine learning?"}})
    );
    assert_eq!(examples.len(), 7);
    for (name, example) in examples {
        let job = server
            .post("/runsync", &example["value"].to_string())
            .json();
        assert_eq!(job["status"], "COMPLETED", "{name}: {job}");
    }
}

/// The bounds of the one parameter `name` that is documented for an operation.
fn bounds(operation: &Value, name: &str) -> [u64; 2] {
    let parameters = operation["parameters"].as_array().unwrap();
    let parameter = parameters.iter().find(|one| one["name"] == name).unwrap();
    ["minimum", "maximum"].map(|bound| parameter["schema"][bound].as_u64().unwrap())
}

#[test]
fn the_bounds_of_spans_are_those_that_hold() {
    let server = TestServer::start();
    let paths = &document()["paths"];
    let job = r#"{"input":{"query":"w1"}}"#;
    let [shortest, longest] = bounds(&paths["/runsync"]["post"], "wait");
    let wait = |span: u64| server.post(&format!("/runsync?wait={span}"), job).status;
    assert_eq!([shortest, longest].map(wait), [200, 200]);
    assert_eq!([shortest - 1, longest + 1].map(wait), [400, 400]);

    for method in ["get", "post"] {
        let [shortest, longest] = bounds(&paths["/status/{id}"][method], "ttl");
        let ttl = |span: u64| {
            let id = server.post("/runsync", job).json()["id"].clone();
            let path = format!("/status/{}?ttl={span}", id.as_str().unwrap());
            match method {
                "get" => server.get(&path).status,
                _ => server.post(&path, "").status,
            }
        };
        assert_eq!([shortest, longest].map(ttl), [200, 200], "{method}");
        assert_eq!([shortest - 1, longest + 1].map(ttl), [400, 400], "{method}");
    }
}

#[test]
fn every_documented_address_exists_on_each_of_its_servers() {
    let server = TestServer::start();
    let job = server.run(json!({"query": "w1"})).json();
    let id = job["id"].as_str().unwrap();
    for (path, method, _) in operations(&document()) {
        let servers = document()["paths"][&path]["servers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let prefixes = servers.iter().map(|server| {
            server["url"]
                .as_str()
                .unwrap()
                // Relative to the document, which stands at the root.
                .trim_start_matches('.')
                .to_owned()
        });
        for prefix in prefixes.chain([String::new()]) {
            let address = format!("{}{path}", prefix.replace("{endpoint}", "query"));
            let is_model = path.contains("/models/");
            let address = address.replace("{id}", if is_model { "fake" } else { id });
            let answer = match method.as_str() {
                "get" => server.get(&address),
                _ => server.post(&address, "{}"),
            };
            assert!(
                ![404, 405].contains(&answer.status),
                "{method} {address}: {answer:?}"
            );
        }
    }
}
