//! A folder of the cache is either complete or absent.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use runpod_query::artifacts::Error;

use super::setup::{Setup, assert_contains, files_below, with_causes};

const KEY: &str = "models/made-0123";

/// An error of another layer.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the work failed")]
    Work,
    #[error(transparent)]
    Store(#[from] Error),
}

fn write_file(staging: &Path) -> Result<(), Error> {
    fs::create_dir(staging.join("sub")).unwrap();
    fs::write(staging.join("sub/file"), "content").unwrap();
    Ok(())
}

#[test]
fn a_folder_is_created_once() {
    let setup = Setup::new("http://unused");
    let made = setup.store().populate(KEY, write_file).unwrap();
    assert_eq!(made, setup.cache.path().join(KEY));
    assert_eq!(files_below(&made), ["sub/file"]);
    let again = setup.store().populate(KEY, |_| -> Result<(), Error> {
        panic!("the folder exists")
    });
    assert_eq!(again.unwrap(), made);
}

#[test]
fn one_thread_creates_a_folder_and_the_others_wait_for_it() {
    let setup = Setup::new("http://unused");
    let (store, calls) = (setup.store(), AtomicUsize::new(0));
    let make = || {
        store.populate(KEY, |staging| {
            calls.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(50));
            write_file(staging)
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
        for thread in threads {
            let made = thread.join().unwrap().unwrap();
            assert_eq!(files_below(&made), ["sub/file"]);
        }
    });
    assert_eq!(calls.into_inner(), 1);
}

#[test]
fn a_failure_leaves_nothing_and_can_be_retried() {
    let setup = Setup::new("http://unused");
    let failed = setup.store().populate(KEY, |staging| {
        write_file(staging)?;
        Err(Failed::Work)
    });
    assert!(matches!(failed, Err(Failed::Work)));
    assert_eq!(files_below(setup.cache.path()), [format!("{KEY}.lock")]);
    assert!(setup.store().populate(KEY, write_file).is_ok());
}

#[test]
fn the_staging_folder_of_a_killed_run_is_removed() {
    let setup = Setup::new("http://unused");
    let staging = setup.cache.path().join(format!("{KEY}.staging"));
    fs::create_dir_all(&staging).unwrap();
    fs::write(staging.join("half"), "").unwrap();
    let made = setup.store().populate(KEY, write_file).unwrap();
    assert_eq!(files_below(&made), ["sub/file"]);
    assert!(!staging.exists());
}

#[test]
fn a_complete_folder_is_used_without_its_lock_file() {
    let setup = Setup::new("http://unused");
    let made = setup.store().populate(KEY, write_file).unwrap();
    fs::remove_file(setup.cache.path().join(format!("{KEY}.lock"))).unwrap();
    assert_eq!(setup.store().populate(KEY, write_file).unwrap(), made);
    assert_eq!(files_below(setup.cache.path()), [format!("{KEY}/sub/file")]);
}

#[test]
fn a_key_that_leads_out_of_the_cache_is_rejected() {
    let setup = Setup::new("http://unused");
    for key in ["", "/absolute", "../beside", "models/../../beside"] {
        let refused = setup.store().populate(key, write_file);
        assert_contains(&with_causes(&refused.unwrap_err()), &[&format!("{key:?}")]);
    }
    assert_eq!(fs::read_dir(setup.cache.path()).unwrap().count(), 0);
}

#[test]
fn a_cache_that_cannot_be_created_is_an_error_that_names_it() {
    let mut setup = Setup::new("http://unused");
    let file = setup.cache.path().join("file");
    fs::write(&file, "").unwrap();
    setup.settings.cache_directory = Some(file.join("cache"));
    let error = setup.store().populate(KEY, write_file).unwrap_err();
    assert_contains(
        &with_causes(&error),
        &["cannot create", "file/cache/models"],
    );
}

#[test]
fn an_error_of_the_cache_reaches_the_caller_in_its_own_type() {
    let setup = Setup::new("http://unused");
    let refused = setup.store().populate("..", |_| Err::<(), _>(Failed::Work));
    assert!(matches!(refused, Err(Failed::Store(Error::Key { .. }))));
}
