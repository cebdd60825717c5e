//! Every error code and every route of the OpenAPI document stands in the pages.

use std::collections::BTreeSet;

use runpod_query::service::Code;
use serde_json::Value;

use super::{page, pages, rows};

const PAGE: &str = "docs/api.md";
const OPENAPI: &str = "openapi/openapi.json";
/// The same routes exist below it once more.
const PREFIX: &str = "/v2/{endpoint}";

#[test]
fn the_page_has_every_error_code_and_no_other() {
    let text = page(PAGE);
    let (_, errors) = text.split_once("\n## Errors\n").unwrap();
    let documented: Vec<String> = rows(errors)
        .iter()
        .map(|cells| cells[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(documented, Code::ALL.map(|code| code.to_string()));
}

#[test]
fn every_route_of_the_openapi_document_is_described_in_a_page() {
    let document: Value = serde_json::from_str(&page(OPENAPI)).unwrap();
    let routes: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .filter(|route| !route.starts_with(PREFIX))
        .collect();
    assert!(routes.contains("/runsync"), "{routes:?}");
    let text: String = pages().iter().map(|file| page(file)).collect();
    let is_named = |route: &str| {
        text.match_indices(route).any(|(start, _)| {
            // Not the beginning of a longer route, nor the end of one.
            let after = text[start + route.len()..].chars().next();
            let before = text[..start].chars().next_back();
            matches!(after, Some('`' | '?')) && matches!(before, Some('`' | ' '))
        })
    };
    let missing: Vec<&str> = routes
        .into_iter()
        .filter(|route| !is_named(route))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
