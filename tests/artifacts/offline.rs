//! An offline store fetches nothing and says what is missing.

use std::fs;

use super::setup::{FILE, MODEL, Setup, assert_tells, content, hub, told};

#[test]
fn a_missing_checkpoint_is_named_with_how_to_get_it() {
    let hub = hub(vec![]);
    let mut setup = Setup::new(&hub.url());
    setup.settings.offline = true;
    let error = setup.fetch().unwrap_err();
    let folder = setup.cache.path().join("checkpoints").join(MODEL);
    assert_tells(
        &error,
        &[
            folder.to_str().unwrap(),
            "runpod-query fetch small",
            "offline",
        ],
    );
    assert_eq!(hub.requests().len(), 0);
    assert_eq!(fs::read_dir(setup.cache.path()).unwrap().count(), 0);
}

#[test]
fn what_is_there_is_used() {
    let hub = hub(vec![]);
    let mut setup = Setup::new(&hub.url());
    setup.fetch().unwrap();
    setup.settings.offline = true;
    assert!(setup.fetch().unwrap() == content());
    assert_eq!(hub.requests().len(), 1);
}

#[test]
fn a_damaged_file_is_named() {
    let hub = hub(vec![]);
    let mut setup = Setup::new(&hub.url());
    setup.fetch().unwrap();
    let file = setup.complete_checkpoints()[0].join(FILE);
    fs::remove_file(&file).unwrap();
    setup.settings.offline = true;
    assert_tells(&setup.fetch().unwrap_err(), &[file.to_str().unwrap()]);
    assert_eq!(hub.requests().len(), 1);
}

#[test]
fn a_missing_runtime_is_named_with_how_to_get_it() {
    let cache = tempfile::tempdir().unwrap();
    let settings = runpod_query::config::Artifacts {
        cache_directory: Some(cache.path().to_owned()),
        offline: true,
        ..Default::default()
    };
    let store = runpod_query::artifacts::Store::open(&settings).unwrap();
    let error = told(&store.runtime_library().unwrap_err());
    assert_tells(
        &error,
        &[
            cache.path().to_str().unwrap(),
            "libonnxruntime",
            "ORT_DYLIB_PATH",
        ],
    );
}

#[test]
fn other_layers_may_still_make_what_needs_no_fetching() {
    let mut setup = Setup::new("http://unused");
    setup.settings.offline = true;
    let made = setup.store().populate("models/made", |staging| {
        fs::write(staging.join("file"), "content").unwrap();
        Ok::<_, runpod_query::artifacts::Error>(())
    });
    assert_eq!(
        fs::read_to_string(made.unwrap().join("file")).unwrap(),
        "content"
    );
}
