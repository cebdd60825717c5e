//! Permanent failures of the hub: the error names the file and the cause, and the cache holds no wrong file.

use std::fs;

use runpod_query::artifacts::Sha256;

use super::hub::{Answer, Hub};
use super::setup::{
    PATH_ON_THE_HUB, Setup, TAG, assert_contains, content, hub_that_always, unreachable_url,
};

#[test]
fn bytes_that_are_wrong_twice_are_an_error_with_both_digests() {
    let hub = hub_that_always(|_| Answer::whole(&[7; 40_000], TAG));
    let setup = Setup::new(&hub.url());
    let error = setup.fetch().unwrap_err();
    let got = Sha256::of(&[7; 40_000]).to_string();
    let expected = Sha256::of(&content()).to_string();
    assert_contains(
        &error,
        &["small/sub/weights.bin", PATH_ON_THE_HUB, &got, &expected],
    );
    assert_eq!(hub.requests().len(), 2);
    assert!(setup.complete_checkpoints().is_empty());
    assert_eq!(fs::metadata(setup.partial()).unwrap().len(), 0);
}

#[test]
fn a_file_of_another_length_is_rejected() {
    let longer: fn(&_) -> _ = |_| Answer::whole(&[7; 50_000], TAG);
    let longer_without_length: fn(&_) -> _ = |_| Answer::whole(&[7; 50_000], TAG).without_length();
    let shorter: fn(&_) -> _ = |_| Answer::whole(&[7; 30_000], TAG);
    for (act, got) in [
        (longer, "got 50000 bytes"),
        (longer_without_length, "or more"),
        (shorter, "got 30000 bytes"),
    ] {
        let hub = hub_that_always(act);
        let setup = Setup::new(&hub.url());
        let error = setup.fetch().unwrap_err();
        assert_contains(
            &error,
            &["small/sub/weights.bin", "expected 40000 bytes", got],
        );
        assert_eq!(hub.requests().len(), 2, "{got}");
        assert!(setup.complete_checkpoints().is_empty());
    }
}

#[test]
fn a_permanent_error_is_not_retried() {
    let errors: [(fn(&_) -> _, &str); 3] = [
        (|_| Answer::status(401), "401 Unauthorized"),
        (|_| Answer::status(403), "403 Forbidden"),
        (|_| Answer::status(404), "404 Not Found"),
    ];
    for (act, status) in errors {
        let hub = hub_that_always(act);
        let setup = Setup::new(&hub.url());
        let url = format!("{}{PATH_ON_THE_HUB}", hub.url());
        assert_contains(
            &setup.fetch().unwrap_err(),
            &["small/sub/weights.bin", &url, status],
        );
        assert_eq!(hub.requests().len(), 1, "{status}");
        assert!(setup.complete_checkpoints().is_empty());
    }
}

#[test]
fn an_error_shows_no_secret_of_a_url() {
    let refusing = Hub::start(
        vec![Box::new(|_| {
            Answer::status(302).with("Location", "/elsewhere?signature=secret")
        })],
        Box::new(|_| Answer::status(403)),
    );
    let redirecting = hub_that_always(|_| {
        Answer::status(302).with(
            "Location",
            &format!("{}/?signature=secret", unreachable_url()),
        )
    });
    let stopping = hub_that_always(|request| match request.path.as_str() {
        PATH_ON_THE_HUB => Answer::status(302).with("Location", "/elsewhere?signature=secret"),
        _ => Answer::whole(&content(), TAG).cut_after(0),
    });
    for url in [
        refusing.url(),
        redirecting.url(),
        stopping.url(),
        unreachable_url(),
    ] {
        let setup = Setup::new(&url.replace("http://", "http://user:secret@"));
        let error = setup.fetch().unwrap_err();
        assert_contains(&error, &[PATH_ON_THE_HUB]);
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn an_unreachable_hub_is_an_error_that_names_it() {
    let url = unreachable_url();
    let error = Setup::new(&url).fetch().unwrap_err();
    assert_contains(
        &error,
        &[
            "small/sub/weights.bin",
            &url,
            "5 attempts",
            "cannot be reached",
            "refused",
        ],
    );
}
