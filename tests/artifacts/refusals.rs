//! A hub that fails for good ends in an error that names the file and the cause, and in no bad file in the cache.

use std::fs;

use runpod_query::artifacts::Sha256;

use super::hub::{Answer, Hub};
use super::setup::{PATH_ON_THE_HUB, Setup, TAG, assert_tells, content, hub_that_always, nowhere};

#[test]
fn bytes_that_are_wrong_twice_are_refused_with_both_digests() {
    let hub = hub_that_always(|_| Answer::whole(&[7; 40_000], TAG));
    let setup = Setup::new(&hub.url());
    let error = setup.fetch().unwrap_err();
    let got = Sha256::of(&[7; 40_000]).to_string();
    let expected = Sha256::of(&content()).to_string();
    assert_tells(
        &error,
        &["small/sub/weights.bin", PATH_ON_THE_HUB, &got, &expected],
    );
    assert_eq!(hub.requests().len(), 2);
    assert!(setup.complete_checkpoints().is_empty());
    assert_eq!(fs::metadata(setup.partial()).unwrap().len(), 0);
}

#[test]
fn a_file_of_another_length_is_refused() {
    let longer: fn(&_) -> _ = |_| Answer::whole(&[7; 50_000], TAG);
    let longer_untold: fn(&_) -> _ = |_| Answer::whole(&[7; 50_000], TAG).of_untold_length();
    let shorter: fn(&_) -> _ = |_| Answer::whole(&[7; 30_000], TAG);
    for (act, got) in [
        (longer, "got 50000 bytes"),
        (longer_untold, "or more"),
        (shorter, "got 30000 bytes"),
    ] {
        let hub = hub_that_always(act);
        let setup = Setup::new(&hub.url());
        let error = setup.fetch().unwrap_err();
        assert_tells(
            &error,
            &["small/sub/weights.bin", "expected 40000 bytes", got],
        );
        assert_eq!(hub.requests().len(), 2, "{got}");
        assert!(setup.complete_checkpoints().is_empty());
    }
}

#[test]
fn a_refusal_that_will_not_change_is_not_asked_again() {
    let refusals: [(fn(&_) -> _, &str); 3] = [
        (|_| Answer::status(401), "401 Unauthorized"),
        (|_| Answer::status(403), "403 Forbidden"),
        (|_| Answer::status(404), "404 Not Found"),
    ];
    for (act, status) in refusals {
        let hub = hub_that_always(act);
        let setup = Setup::new(&hub.url());
        let url = format!("{}{PATH_ON_THE_HUB}", hub.url());
        assert_tells(
            &setup.fetch().unwrap_err(),
            &["small/sub/weights.bin", &url, status],
        );
        assert_eq!(hub.requests().len(), 1, "{status}");
        assert!(setup.complete_checkpoints().is_empty());
    }
}

#[test]
fn an_error_shows_no_secret_of_an_address() {
    let refusing = Hub::start(
        vec![Box::new(|_| {
            Answer::status(302).with("Location", "/elsewhere?signature=secret")
        })],
        Box::new(|_| Answer::status(403)),
    );
    let redirecting = hub_that_always(|_| {
        Answer::status(302).with("Location", &format!("{}/?signature=secret", nowhere()))
    });
    let stopping = hub_that_always(|request| match request.path.as_str() {
        PATH_ON_THE_HUB => Answer::status(302).with("Location", "/elsewhere?signature=secret"),
        _ => Answer::whole(&content(), TAG).cut_after(0),
    });
    for url in [refusing.url(), redirecting.url(), stopping.url(), nowhere()] {
        let setup = Setup::new(&url.replace("http://", "http://user:secret@"));
        let error = setup.fetch().unwrap_err();
        assert_tells(&error, &[PATH_ON_THE_HUB]);
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn a_hub_that_cannot_be_reached_is_named() {
    let url = nowhere();
    let error = Setup::new(&url).fetch().unwrap_err();
    assert_tells(
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
