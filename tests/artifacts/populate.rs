//! A folder of the cache is complete or not there.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use runpod_query::artifacts::Error;

use super::bench::{Bench, assert_tells, files_below, told};

const KEY: &str = "models/made-0123";

/// What another layer's error looks like.
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
fn a_folder_is_made_once() {
    let bench = Bench::new("http://unused");
    let made = bench.store().populate(KEY, write_file).unwrap();
    assert_eq!(made, bench.cache.path().join(KEY));
    assert_eq!(files_below(&made), ["sub/file"]);
    let again = bench
        .store()
        .populate(KEY, |_| -> Result<(), Error> { panic!("it is there") });
    assert_eq!(again.unwrap(), made);
}

#[test]
fn of_threads_that_want_the_same_folder_one_makes_it_and_the_others_wait() {
    let bench = Bench::new("http://unused");
    let (store, calls) = (bench.store(), AtomicUsize::new(0));
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
fn work_that_fails_leaves_nothing_and_can_be_done_again() {
    let bench = Bench::new("http://unused");
    let failed = bench.store().populate(KEY, |staging| {
        write_file(staging)?;
        Err(Failed::Work)
    });
    assert!(matches!(failed, Err(Failed::Work)));
    assert_eq!(files_below(bench.cache.path()), [format!("{KEY}.lock")]);
    assert!(bench.store().populate(KEY, write_file).is_ok());
}

#[test]
fn what_a_killed_run_left_is_swept_away() {
    let bench = Bench::new("http://unused");
    let staging = bench.cache.path().join(format!("{KEY}.staging"));
    fs::create_dir_all(&staging).unwrap();
    fs::write(staging.join("half"), "").unwrap();
    let made = bench.store().populate(KEY, write_file).unwrap();
    assert_eq!(files_below(&made), ["sub/file"]);
    assert!(!staging.exists());
}

#[test]
fn a_complete_folder_is_found_in_a_cache_that_cannot_be_written() {
    let bench = Bench::new("http://unused");
    let made = bench.store().populate(KEY, write_file).unwrap();
    fs::remove_file(bench.cache.path().join(format!("{KEY}.lock"))).unwrap();
    assert_eq!(bench.store().populate(KEY, write_file).unwrap(), made);
    assert_eq!(files_below(bench.cache.path()), [format!("{KEY}/sub/file")]);
}

#[test]
fn a_key_that_leads_out_of_the_cache_is_refused() {
    let bench = Bench::new("http://unused");
    for key in ["", "/absolute", "../beside", "models/../../beside"] {
        let refused = bench.store().populate(key, write_file);
        assert_tells(&told(&refused.unwrap_err()), &[&format!("{key:?}")]);
    }
    assert_eq!(fs::read_dir(bench.cache.path()).unwrap().count(), 0);
}

#[test]
fn a_cache_that_cannot_be_made_is_named() {
    let mut bench = Bench::new("http://unused");
    let file = bench.cache.path().join("file");
    fs::write(&file, "").unwrap();
    bench.settings.cache_directory = Some(file.join("cache"));
    let error = bench.store().populate(KEY, write_file).unwrap_err();
    assert_tells(&told(&error), &["cannot create", "file/cache/models"]);
}

#[test]
fn an_error_of_the_cache_reaches_the_caller_in_its_own_type() {
    let bench = Bench::new("http://unused");
    let refused = bench.store().populate("..", |_| Err::<(), _>(Failed::Work));
    assert!(matches!(refused, Err(Failed::Store(Error::Key { .. }))));
}
