//! An offline store downloads nothing and names the missing file.

use std::fs;

use super::setup::{FILE, MODEL, Setup, assert_contains, content, hub, with_causes};

#[test]
fn a_missing_checkpoint_is_an_error_that_says_how_to_download_it() {
    let hub = hub(vec![]);
    let mut setup = Setup::new(&hub.url());
    setup.settings.offline = true;
    let error = setup.fetch().unwrap_err();
    let folder = setup.cache.path().join("checkpoints").join(MODEL);
    assert_contains(
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
fn a_cached_checkpoint_is_used() {
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
    assert_contains(&setup.fetch().unwrap_err(), &[file.to_str().unwrap()]);
    assert_eq!(hub.requests().len(), 1);
}

#[test]
fn a_missing_runtime_is_an_error_that_says_how_to_provide_it() {
    let cache = tempfile::tempdir().unwrap();
    let settings = runpod_query::config::Artifacts {
        cache_directory: Some(cache.path().to_owned()),
        offline: true,
        ..Default::default()
    };
    let store = runpod_query::artifacts::Store::open(&settings).unwrap();
    let error = with_causes(&store.runtime_library().unwrap_err());
    assert_contains(
        &error,
        &[
            cache.path().to_str().unwrap(),
            "libonnxruntime",
            "ORT_DYLIB_PATH",
        ],
    );
}

#[test]
fn folders_that_need_no_download_can_still_be_created() {
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
