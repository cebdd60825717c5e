//! ONNX Runtime's library comes from the settings or from the pinned wheel.

use std::env::consts;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::python::{Python, Wheel};
use super::setup::{Setup, assert_contains, files_below, pins, unreachable_url, with_causes};

const LIBRARY: &str = "onnxruntime/capi/libonnxruntime.so.9.9.9";

fn setup(python: &Python, wheel: &Wheel) -> Setup {
    let kernel = if consts::OS == "macos" {
        "darwin"
    } else {
        consts::OS
    };
    let mut pins = pins();
    pins["onnxruntime"]["systems"][format!("{}-{kernel}", consts::ARCH)] = json!({
        "platform": "manylinux_2_28_x86_64",
        "bytes": wheel.bytes,
        "sha256": wheel.sha256,
        "library": LIBRARY,
    });
    let mut setup = Setup::with_pins(&unreachable_url(), pins);
    setup.sources.interpreters = vec![python.path()];
    setup
}

#[test]
fn the_library_and_its_licence_are_extracted_from_the_wheel() {
    let (python, wheel) = Python::with_wheel(&[
        (LIBRARY, b"library"),
        ("onnxruntime/LICENSE", b"licence"),
        ("onnxruntime/__init__.py", b""),
    ]);
    let setup = setup(&python, &wheel);
    let library = setup.store().runtime_library().unwrap();
    assert_eq!(fs::read(&library).unwrap(), b"library");
    assert_eq!(
        files_below(library.parent().unwrap()),
        ["LICENSE", "libonnxruntime.so.9.9.9"]
    );
    assert_contains(
        &python.arguments().unwrap(),
        &[
            "--implementation cp --python-version 313 --abi cp313 --platform manylinux_2_28_x86_64",
            &format!("onnxruntime==9.9.9 --hash=sha256:{}", wheel.sha256),
        ],
    );
}

#[test]
fn a_cached_library_is_used_without_pip() {
    let (python, wheel) =
        Python::with_wheel(&[(LIBRARY, b"library"), ("onnxruntime/LICENSE", b"")]);
    let mut setup = setup(&python, &wheel);
    let library = setup.store().runtime_library().unwrap();
    setup.sources.interpreters.clear();
    assert_eq!(setup.store().runtime_library().unwrap(), library);
    setup.settings.offline = true;
    assert_eq!(setup.store().runtime_library().unwrap(), library);
}

#[test]
fn a_wheel_without_the_library_leaves_nothing() {
    let (python, wheel) = Python::with_wheel(&[("onnxruntime/LICENSE", b"")]);
    let setup = setup(&python, &wheel);
    let error = with_causes(&setup.store().runtime_library().unwrap_err());
    assert_contains(&error, &[LIBRARY, ".whl"]);
    let left = files_below(setup.cache.path());
    assert!(left.iter().all(|path| path.ends_with(".lock")), "{left:?}");
}

#[test]
fn the_library_in_the_settings_is_used_and_must_exist() {
    let (python, wheel) = Python::with_wheel(&[]);
    let mut setup = setup(&python, &wheel);
    let library = setup.cache.path().join("mine.so");
    setup.settings.runtime_library = Some(library.clone());
    let error = with_causes(&setup.store().runtime_library().unwrap_err());
    assert_contains(&error, &["ORT_DYLIB_PATH", library.to_str().unwrap()]);
    fs::write(&library, "").unwrap();
    assert_eq!(
        setup.store().runtime_library().unwrap(),
        PathBuf::from(&library)
    );
    assert_eq!(python.arguments(), None);
}

#[test]
fn a_system_without_a_pin_is_an_error_that_says_what_to_set() {
    let setup = Setup::new(&unreachable_url());
    let error = with_causes(&setup.store().runtime_library().unwrap_err());
    assert_contains(&error, &[consts::ARCH, "ORT_DYLIB_PATH"]);
}
