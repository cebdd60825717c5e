//! Repositories of the hub: resolved once, kept, verified, and refused with an error that says what to do.

use std::fs;

use runpod_query::artifacts::{Pins, Store};
use serde_json::json;

use super::repository_hub::{Files, REPOSITORY, RepositoryHub, fixture};
use super::setup::{Setup, assert_contains, files_below, with_causes};
use crate::support::models::CHECKPOINT_FILES;

const FIXTURE: &str = "tiny-bert";
const TOKEN: &str = "hf_a_token_that_nobody_may_see";

fn setup(hub: &RepositoryHub) -> Setup {
    Setup::new(&hub.url())
}

/// Downloads the repository and keeps its pin, as a start of the program does.
fn fetch(store: &Store, name: &str) -> Result<std::path::PathBuf, String> {
    let model = store.model(name).map_err(|error| with_causes(&error))?;
    let checkpoint = store
        .checkpoint_of(&model)
        .map_err(|error| with_causes(&error))?;
    store.keep(&model).map_err(|error| with_causes(&error))?;
    Ok(checkpoint)
}

/// The files of the repository, with a sentence in one of them.
fn changed(sentence: &str) -> Files {
    let mut files = fixture(FIXTURE);
    files.insert("README.md".to_owned(), sentence.into());
    files
}

#[test]
fn only_the_files_that_are_needed_are_downloaded_and_each_once() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let setup = setup(&hub);
    let checkpoint = fetch(&setup.store(), REPOSITORY).unwrap();
    let needed = CHECKPOINT_FILES;
    assert_eq!(files_below(&checkpoint), needed);
    // The description, seven files of which one is redirected, and that one.
    assert_eq!(hub.request_count(), 1 + needed.len() + 1);
    for path in needed {
        assert!(
            fs::read(checkpoint.join(path)).unwrap() == fixture(FIXTURE)[path],
            "{path}"
        );
    }
}

#[test]
fn the_commit_is_decided_once_and_only_renewing_moves_it() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let setup = setup(&hub);
    let first = hub.commit("main");
    fetch(&setup.store(), REPOSITORY).unwrap();
    let second = hub.push("main", changed("another sentence"));
    let requests = hub.request_count();

    assert_eq!(setup.store().model(REPOSITORY).unwrap().pin.revision, first);
    assert_eq!(hub.request_count(), requests);

    let (renewed, before) = setup.store().renew(REPOSITORY).unwrap();
    assert_eq!(
        (renewed.pin.revision.as_str(), before),
        (second.as_str(), Some(first.clone()))
    );
    assert_eq!(setup.store().model(REPOSITORY).unwrap().pin.revision, first);
    setup.store().keep(&renewed).unwrap();
    assert_eq!(
        setup.store().model(REPOSITORY).unwrap().pin.revision,
        second
    );
}

#[test]
fn a_commit_with_the_same_files_is_another_model_of_the_same_checkpoint() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let setup = setup(&hub);
    let store = setup.store();
    let first = store.model(REPOSITORY).unwrap();
    let checkpoint = store.checkpoint_of(&first).unwrap();
    hub.push("main", changed("another sentence"));
    let (second, _) = store.renew(REPOSITORY).unwrap();
    assert_ne!(first.folder_of("fp32"), second.folder_of("fp32"));
    let downloads = hub.storage_requests().len();
    assert_eq!(store.checkpoint_of(&second).unwrap(), checkpoint);
    assert_eq!(hub.storage_requests().len(), downloads);
}

#[test]
fn a_revision_may_be_a_branch_a_tag_or_a_commit() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let tagged = hub.push("v1.0", changed("tagged"));
    let proposed = hub.push("refs/pr/1", changed("proposed"));
    let store = setup(&hub).store();
    for (revision, commit) in [
        ("v1.0", &tagged),
        ("refs/pr/1", &proposed),
        (tagged.as_str(), &tagged),
    ] {
        let model = store.model(&format!("{REPOSITORY}@{revision}")).unwrap();
        assert_eq!(&model.pin.revision, commit);
        assert_eq!(model.name, REPOSITORY);
    }
    fetch(&store, &format!("{REPOSITORY}@refs/pr/1")).unwrap();
    let main = store.model(REPOSITORY).unwrap();
    assert_eq!(main.pin.revision, hub.commit("main"));
}

#[test]
fn the_shards_of_the_weights_are_downloaded() {
    let mut files = fixture(FIXTURE);
    let weights = files.remove("model.safetensors").unwrap();
    let (first, second) = weights.split_at(weights.len() / 2);
    files.insert(
        "model-00001-of-00002.safetensors".to_owned(),
        first.to_vec(),
    );
    files.insert(
        "model-00002-of-00002.safetensors".to_owned(),
        second.to_vec(),
    );
    let index = json!({"weight_map": {
        "a": "model-00001-of-00002.safetensors",
        "b": "model-00002-of-00002.safetensors",
    }});
    files.insert(
        "model.safetensors.index.json".to_owned(),
        index.to_string().into(),
    );
    let hub = RepositoryHub::with(files);
    let setup = setup(&hub);
    let checkpoint = fetch(&setup.store(), REPOSITORY).unwrap();
    assert!(fs::read(checkpoint.join("model-00002-of-00002.safetensors")).unwrap() == second);
    assert_eq!(hub.storage_requests().len(), 2);
}

#[test]
fn the_token_goes_to_the_hub_and_not_to_the_host_it_redirects_to() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    hub.set_token(TOKEN);
    let mut setup = setup(&hub);
    setup.settings.hub_token = Some(TOKEN.into());
    fetch(&setup.store(), REPOSITORY).unwrap();
    let bearer = format!("Bearer {TOKEN}");
    for request in hub.requests() {
        assert_eq!(
            request.header("authorization"),
            Some(bearer.as_str()),
            "{}",
            request.path
        );
    }
    assert_eq!(hub.storage_requests().len(), 1);
    assert_eq!(hub.storage_requests()[0].header("authorization"), None);
}

#[test]
fn a_refusal_names_the_repository_and_the_token_s_variable_and_not_the_token() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    hub.set_token("another one");
    let mut setup = setup(&hub);
    for token in [None, Some(TOKEN)] {
        setup.settings.hub_token = token.map(Into::into);
        let error = fetch(&setup.store(), REPOSITORY).unwrap_err();
        assert_contains(&error, &[REPOSITORY, "HF_TOKEN", "401"]);
        assert!(!error.contains(TOKEN), "{error}");
    }
}

#[test]
fn a_gated_repository_is_refused_when_its_files_are_asked_for() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    hub.set_gate(TOKEN);
    let mut setup = setup(&hub);
    let error = fetch(&setup.store(), REPOSITORY).unwrap_err();
    assert_contains(&error, &[REPOSITORY, "HF_TOKEN", "403"]);
    setup.settings.hub_token = Some(TOKEN.into());
    fetch(&setup.store(), REPOSITORY).unwrap();
}

#[test]
fn an_invalid_token_is_an_error_that_does_not_show_it() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let mut setup = setup(&hub);
    setup.settings.hub_token = Some("hf_\u{7}secret".into());
    let error = fetch(&setup.store(), REPOSITORY).unwrap_err();
    assert_contains(&error, &["HF_TOKEN"]);
    assert!(!error.contains("secret"), "{error}");
    assert_eq!(hub.request_count(), 0);
}

#[test]
fn an_unknown_repository_or_revision_is_named() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let store = setup(&hub).store();
    for (name, parts) in [
        (
            "acme/nothing",
            ["acme/nothing", "main", "--model-directory"],
        ),
        ("acme/tiny@v9", ["acme/tiny", "v9", "404"]),
    ] {
        assert_contains(&fetch(&store, name).unwrap_err(), &parts);
    }
}

#[test]
fn a_repository_with_nothing_but_a_pickle_is_an_error_that_says_how_to_convert_it() {
    let mut files = fixture(FIXTURE);
    files.remove("model.safetensors");
    let hub = RepositoryHub::with(files);
    let error = fetch(&setup(&hub).store(), REPOSITORY).unwrap_err();
    assert_contains(
        &error,
        &[REPOSITORY, "pytorch_model.bin", "save_pretrained", "export"],
    );
    assert_eq!(hub.storage_requests().len(), 0);
}

#[test]
fn a_damaged_file_of_the_same_size_is_noticed_and_downloaded_again() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let mut setup = setup(&hub);
    let weights = fetch(&setup.store(), REPOSITORY)
        .unwrap()
        .join("model.safetensors");
    let intact = fs::read(&weights).unwrap();
    let mut damaged = intact.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&weights, damaged).unwrap();

    setup.settings.offline = true;
    let error = fetch(&setup.store(), REPOSITORY).unwrap_err();
    assert_contains(
        &error,
        &[weights.to_str().unwrap(), "runpod-query fetch acme/tiny"],
    );

    setup.settings.offline = false;
    fetch(&setup.store(), REPOSITORY).unwrap();
    assert!(fs::read(&weights).unwrap() == intact);
}

#[test]
fn offline_a_kept_repository_is_there_and_another_is_an_error_that_says_how_to_fetch_it() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let mut setup = setup(&hub);
    fetch(&setup.store(), REPOSITORY).unwrap();
    let requests = hub.request_count();
    setup.settings.offline = true;
    fetch(&setup.store(), REPOSITORY).unwrap();
    let error = fetch(&setup.store(), "acme/tiny@v1").unwrap_err();
    assert_contains(
        &error,
        &[
            "acme--tiny@v1",
            "runpod-query fetch acme/tiny@v1",
            "offline",
        ],
    );
    assert_eq!(hub.request_count(), requests);
}

#[test]
fn a_small_file_of_another_size_than_listed_is_an_error() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    hub.list_wrong_sizes();
    let error = fetch(&setup(&hub).store(), REPOSITORY).unwrap_err();
    assert_contains(&error, &["acme/tiny/", "list of files", "bytes"]);
}

#[test]
fn a_damaged_pin_is_an_error_that_says_how_to_write_it_anew() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let setup = setup(&hub);
    fetch(&setup.store(), REPOSITORY).unwrap();
    let pin = setup.cache.path().join("pins/acme--tiny@main.json");
    fs::write(&pin, "{").unwrap();
    let error = fetch(&setup.store(), REPOSITORY).unwrap_err();
    assert_contains(
        &error,
        &[pin.to_str().unwrap(), "runpod-query fetch acme/tiny"],
    );
    let (renewed, _) = setup.store().renew(REPOSITORY).unwrap();
    setup.store().keep(&renewed).unwrap();
    fetch(&setup.store(), REPOSITORY).unwrap();
}

#[test]
fn the_repository_of_a_pinned_model_is_the_pinned_model() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let mut setup = setup(&hub);
    setup.sources.pins = std::borrow::Cow::Borrowed(Pins::get());
    let store = setup.store();
    let pinned = store.model("bge-m3").unwrap();
    for name in [
        "BAAI/bge-m3".to_owned(),
        format!("BAAI/bge-m3@{}", pinned.pin.revision),
    ] {
        let model = store.model(&name).unwrap();
        assert_eq!(model.name, "bge-m3");
        assert_eq!(model.folder_of("fp32"), pinned.folder_of("fp32"));
    }
    assert_eq!(hub.request_count(), 0);
    // Another revision is asked of the hub, which here does not have it.
    let error = with_causes(&store.model("BAAI/bge-m3@main").unwrap_err());
    assert_contains(&error, &["BAAI/bge-m3", "404"]);
    assert_eq!(hub.request_count(), 1);
}

#[test]
fn a_path_in_place_of_a_name_is_an_error_that_names_the_option_for_directories() {
    let hub = RepositoryHub::with_fixture(FIXTURE);
    let store = setup(&hub).store();
    for path in ["./model", "/models/mine", "..", "models/mine/"] {
        assert_contains(
            &fetch(&store, path).unwrap_err(),
            &[path, "--model-directory"],
        );
    }
    assert_eq!(hub.request_count(), 0);
}
