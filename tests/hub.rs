//! What RunPod's hub reads about this project: well formed, and true.

use std::collections::HashMap;

use model::Precision;
use runpod_query::config::{ENVIRONMENT_PREFIX, Settings};
use serde_json::{Value, json};

use crate::support::golden::path;
use crate::support::server::TestServer;

const PRECISION: &str = "RUNPOD_QUERY__MODEL__PRECISION";

fn read(file: &str) -> Value {
    let text = std::fs::read(path(&format!("../.runpod/{file}"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Variables as a container gets them.
fn accept(variables: HashMap<String, String>) {
    let shown = format!("{variables:?}");
    if let Err(error) = Settings::from_sources(variables, None, Vec::new()) {
        panic!("{shown}: {error}");
    }
}

#[test]
fn the_listing_has_every_field_that_the_hub_asks_for() {
    let hub = read("hub.json");
    for field in ["title", "description"] {
        assert!(!hub[field].as_str().unwrap().is_empty(), "{field}");
    }
    assert_eq!(hub["type"], "serverless");
    assert_eq!(hub["category"], "embedding");
    let config = &hub["config"];
    assert_eq!(config["runsOn"], "CPU");
    assert!(config["containerDiskInGb"].as_u64().unwrap() > 0);
    assert_eq!(
        config["cpuFlavor"],
        read("tests.json")["config"]["cpuFlavor"]
    );
    for variable in config["env"].as_array().unwrap() {
        let input = &variable["input"];
        for field in ["name", "description"] {
            assert!(!input[field].as_str().unwrap().is_empty(), "{variable}");
        }
        assert!(
            ["string", "number", "boolean", "huggingface"]
                .contains(&input["type"].as_str().unwrap()),
            "{variable}"
        );
    }
}

#[test]
fn every_variable_that_the_hub_offers_is_a_setting_with_every_value() {
    let hub = read("hub.json");
    for variable in hub["config"]["env"].as_array().unwrap() {
        let (key, input) = (text(&variable["key"]), &variable["input"]);
        let options = input["options"].as_array().into_iter().flatten();
        let values = options
            .map(|option| &option["value"])
            .chain(["default", "min", "max"].map(|field| &input[field]))
            .filter(|value| !value.is_null());
        for value in values {
            accept(HashMap::from([(key.clone(), text(value))]));
        }
    }
    let tests = read("tests.json");
    let variables = tests["config"]["env"].as_array().unwrap().iter();
    accept(
        variables
            .map(|variable| (text(&variable["key"]), text(&variable["value"])))
            .collect(),
    );
}

#[test]
fn the_hub_offers_the_precisions_that_its_image_holds() {
    let hub = read("hub.json");
    let mut variables = hub["config"]["env"].as_array().unwrap().iter();
    let variable = variables.find(|variable| variable["key"] == PRECISION);
    let options = variable.unwrap()["input"]["options"].as_array().unwrap();
    let offered: Vec<String> = options
        .iter()
        .map(|option| text(&option["value"]))
        .collect();
    let dockerfile = std::fs::read_to_string(path("../Dockerfile")).unwrap();
    let mut lines = dockerfile.lines();
    let held = lines.find_map(|line| line.strip_prefix("ARG PRECISION="));
    assert_eq!(Some(offered.join("-").as_str()), held);
}

#[test]
fn the_hub_offers_no_other_choice_of_what_the_image_decides() {
    let hub = read("hub.json");
    let tests = read("tests.json");
    let fixed: Vec<String> = ["model", "artifacts"]
        .iter()
        .map(|section| format!("{ENVIRONMENT_PREFIX}__{}__", section.to_uppercase()))
        .collect();
    for config in [&hub["config"], &tests["config"]] {
        // A preset may set a variable that is no setting of the listing.
        assert_eq!(config.get("presets"), None);
        for variable in config["env"].as_array().unwrap() {
            let key = text(&variable["key"]);
            let is_fixed = fixed.iter().any(|fixed| key.starts_with(fixed));
            assert!(!is_fixed || key == PRECISION, "{key}");
        }
    }
}

#[test]
fn unchanged_hub_settings_match_the_defaults() {
    let hub = read("hub.json");
    let variables = hub["config"]["env"].as_array().unwrap().iter();
    let given = variables
        .map(|variable| (text(&variable["key"]), text(&variable["input"]["default"])))
        .collect();
    let mut given = Settings::from_sources(given, None, Vec::new()).unwrap();
    assert_eq!(given.model.precision.take(), Some(Precision::default()));
    assert_eq!(given, Settings::default());
}

#[test]
fn the_test_requests_of_the_hub_are_answered() {
    let server = TestServer::start();
    let tests = read("tests.json");
    let tests = tests["tests"].as_array().unwrap();
    for action in ["health_check", "embed_query", "embed_batch"] {
        assert!(
            tests.iter().any(|test| test["input"]["action"] == action),
            "{action}"
        );
    }
    for test in tests {
        assert!(test["timeout"].as_u64().unwrap() >= 60_000, "{test}");
        let answer = server.post("/runsync", &json!({"input": test["input"]}).to_string());
        assert_eq!(answer.json()["status"], "COMPLETED", "{test}: {answer:?}");
    }
}
