//! A repository of the hub, from `fetch` to an answer, with the real program; and the commands of the page about it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use model::Precision;
use serde_json::{Value, json};

use crate::artifacts::repository_hub::{REPOSITORY, RepositoryHub, fixture};
use crate::support::golden::{largest_difference, path};
use crate::support::models::{Model, checkpoint, runtime_library};
use crate::support::program::{Served, floats, program};

const FIXTURE: &str = "tiny-bert";
const TOKEN: &str = "hf_a_token_that_nobody_may_see";
const TEXT: &str = "What is machine learning?";
const PAGE: &str = "../docs/your-own-model.md";
/// The repository's name in the page.
const NAME_IN_PAGE: &str = "acme/my-model";

/// A user's machine: an empty cache, and the hub.
struct Machine {
    hub: RepositoryHub,
    home: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        Self {
            hub: RepositoryHub::with_fixture(FIXTURE),
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let cache = self.home.path().join("cache");
        vec![
            ("RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY", shown(&cache)),
            ("HF_ENDPOINT", self.hub.url()),
            ("HF_TOKEN", TOKEN.to_owned()),
            ("ORT_DYLIB_PATH", shown(&runtime_library())),
        ]
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = program();
        command.args(arguments).envs(self.environment());
        finish(command)
    }

    fn serve(&self, arguments: &[&str]) -> Served {
        let served = Served::start_in(arguments, &self.environment());
        served.wait_for_status(200);
        served
    }
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Runs a command to its end. Its output never shows the token.
fn finish(mut command: Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    for bytes in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(bytes).contains(TOKEN));
    }
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The vector of the text by an export of the fixture in the default precision.
fn expected_vector() -> Vec<f32> {
    let mut model = Model::export_in(&checkpoint(FIXTURE), FIXTURE, Precision::default());
    model.encode(&[TEXT]).remove(0)
}

#[test]
fn a_fetched_repository_is_embedded_offline_with_the_vectors_of_its_model() {
    let machine = Machine::new();
    machine.hub.set_token(TOKEN);
    let fetched = machine.run(&["fetch", REPOSITORY]);
    let directory = PathBuf::from(succeeded(&fetched).trim());
    let commit = machine.hub.commit("main");
    assert!(stderr(&fetched).contains(&format!("{REPOSITORY} is at commit {commit}")));
    let description = std::fs::read(directory.join("model.json")).unwrap();
    let description: Value = serde_json::from_slice(&description).unwrap();
    assert_eq!(description["name"], REPOSITORY);
    assert_eq!(description["revision"], commit);

    let requests = machine.hub.request_count();
    let line = succeeded(&machine.run(&["embed", "--model", REPOSITORY, "--offline", TEXT]));
    let line: Value = serde_json::from_str(&line).unwrap();
    assert!(largest_difference(&floats(&line["embedding"]), &expected_vector()) < 1e-5);
    assert_eq!(machine.hub.request_count(), requests);
}

#[test]
fn a_repository_is_served_by_its_name_with_and_without_the_owner() {
    let machine = Machine::new();
    let served = machine.serve(&["--model", REPOSITORY]);
    let model = &served.health()["model"];
    assert_eq!(model["name"], REPOSITORY);
    assert_eq!(model["repository"], REPOSITORY);
    assert_eq!(model["revision"], machine.hub.commit("main"));
    for (name, status) in [(REPOSITORY, 200), ("tiny", 200), ("acme/other", 404)] {
        let body = json!({"model": name, "input": TEXT});
        let (answered, answer) = served.post("/v1/embeddings", &body).unwrap();
        assert_eq!(answered, status, "{name}: {answer}");
    }
    assert!(!served.log().contains(TOKEN));
}

#[test]
fn a_restart_keeps_the_commit_and_fetch_moves_it() {
    let machine = Machine::new();
    let revision = |machine: &Machine| {
        let served = machine.serve(&["--model", REPOSITORY]);
        served.health()["model"]["revision"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = machine.hub.commit("main");
    assert_eq!(revision(&machine), first);
    let mut files = fixture(FIXTURE);
    files.insert(
        "config_sentence_transformers.json".to_owned(),
        b"{}".to_vec(),
    );
    let second = machine.hub.push("main", files);
    assert_eq!(revision(&machine), first);
    let fetched = machine.run(&["fetch", REPOSITORY]);
    succeeded(&fetched);
    assert!(stderr(&fetched).contains(&format!("commit {first} -> {second}")));
    assert_eq!(revision(&machine), second);
    let fetched = machine.run(&["fetch", REPOSITORY]);
    assert!(stderr(&fetched).contains(&format!("is still at commit {second}")));
}

#[test]
fn a_commit_that_cannot_be_exported_does_not_replace_one_that_can() {
    let machine = Machine::new();
    succeeded(&machine.run(&["fetch", REPOSITORY]));
    let mut files = fixture(FIXTURE);
    let config = String::from_utf8(files.remove("config.json").unwrap()).unwrap();
    let unknown = config.replace("\"model_type\": \"bert\"", "\"model_type\": \"unknown\"");
    assert_ne!(unknown, config);
    files.insert("config.json".to_owned(), unknown.into_bytes());
    machine.hub.push("main", files);
    let fetched = machine.run(&["fetch", REPOSITORY]);
    assert!(!fetched.status.success());
    assert!(
        stderr(&fetched).contains("model_type"),
        "{}",
        stderr(&fetched)
    );
    succeeded(&machine.run(&["embed", "--model", REPOSITORY, "--offline", TEXT]));
}

#[test]
fn offline_the_error_says_how_to_fetch_the_repository() {
    let machine = Machine::new();
    let output = machine.run(&["embed", "--model", "acme/tiny@v1", "--offline", TEXT]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("runpod-query fetch acme/tiny@v1"),
        "{}",
        stderr(&output)
    );
    assert_eq!(machine.hub.request_count(), 0);
}

#[test]
fn a_pin_has_every_file_s_hash_and_downloads_no_weights() {
    let machine = Machine::new();
    let pin = succeeded(&machine.run(&["pin", REPOSITORY]));
    let pin: Value = serde_json::from_str(&pin).unwrap();
    assert_eq!(pin["repository"], REPOSITORY);
    assert_eq!(pin["revision"], machine.hub.commit("main"));
    assert_eq!(pin["license"], "apache-2.0");
    assert_eq!(pin["files"].as_object().unwrap().len(), 7);
    for (file, pin) in pin["files"].as_object().unwrap() {
        let content = &fixture(FIXTURE)[file];
        let hash = runpod_query::artifacts::Sha256::of(content).to_string();
        assert_eq!(
            pin,
            &json!({"bytes": content.len(), "sha256": hash}),
            "{file}"
        );
    }
    assert_eq!(machine.hub.storage_requests().len(), 0);
}

#[test]
fn a_variable_replaces_the_model_of_an_image() {
    let machine = Machine::new();
    let settings = machine.home.path().join("image.toml");
    let image = "[model]\ndirectory = \"/the/image/s/model\"\n[artifacts]\noffline = true\n";
    std::fs::write(&settings, image).unwrap();
    let mut environment = machine.environment();
    environment.push(("RUNPOD_QUERY__MODEL__NAME", REPOSITORY.to_owned()));
    environment.push(("RUNPOD_QUERY__ARTIFACTS__OFFLINE", "false".to_owned()));
    let served = Served::start_in(&["--settings", &shown(&settings)], &environment);
    served.wait_for_status(200);
    assert_eq!(served.health()["model"]["name"], REPOSITORY);
}

/// The program's commands in the page, up to the sections about directories.
fn commands_of_the_page() -> Vec<String> {
    let page = std::fs::read_to_string(path(PAGE)).unwrap();
    let (page, _) = page.split_once("\n## Model directories\n").unwrap();
    page.split("```sh\n")
        .skip(1)
        .flat_map(|block| block.split("```").next().unwrap().lines())
        .filter(|line| line.starts_with("runpod-query "))
        .map(|line| line.replace(NAME_IN_PAGE, REPOSITORY))
        .collect()
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let machine = Machine::new();
    let binary = Path::new(env!("CARGO_BIN_EXE_runpod-query"));
    let folders = format!(
        "{}:{}",
        shown(binary.parent().unwrap()),
        std::env::var("PATH").unwrap()
    );
    let commands = commands_of_the_page();
    for verb in ["fetch", "embed", "serve", "pin"] {
        let start = format!("runpod-query {verb} ");
        assert!(
            commands.iter().any(|command| command.starts_with(&start)),
            "{verb}"
        );
    }
    for command in commands {
        if let Some(arguments) = command.strip_prefix("runpod-query serve ") {
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            assert!(
                largest_difference(&machine.serve(&arguments).embed(TEXT), &expected_vector())
                    < 1e-5
            );
            continue;
        }
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &command])
            .current_dir(machine.home.path())
            .envs(machine.environment())
            .env("PATH", &folders);
        succeeded(&finish(shell));
    }
    let pin = std::fs::read(machine.home.path().join("my-model.json")).unwrap();
    let pin: Value = serde_json::from_slice(&pin).unwrap();
    assert_eq!(pin["repository"], REPOSITORY);
}
