//! What processes do to each other: they wait, they are killed.
//!
//! A process is this test program again, told by a variable to fetch from the hub that the test has started.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::hub::Answer;
use super::setup::{Setup, TAG, content, hub};

const HUB: &str = "RUNPOD_QUERY_TEST_HUB";
const CACHE: &str = "RUNPOD_QUERY_TEST_CACHE";

#[test]
#[ignore = "the other tests of this file run it in a process of its own"]
fn fetch() {
    let (Ok(hub), Ok(cache)) = (std::env::var(HUB), std::env::var(CACHE)) else {
        return;
    };
    let mut setup = Setup::new(&hub);
    setup.settings.cache_directory = Some(cache.into());
    assert!(setup.fetch().unwrap() == content());
}

fn start_fetching(setup: &Setup) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["artifacts::processes::fetch", "--exact", "--ignored"])
        .env(HUB, setup.settings.hub_url.as_ref().unwrap())
        .env(CACHE, setup.cache.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn of_processes_that_want_the_same_checkpoint_one_fetches_it_and_the_others_wait() {
    let hub = hub(vec![|_| {
        thread::sleep(Duration::from_millis(200));
        Answer::whole(&content(), TAG)
    }]);
    let setup = Setup::new(&hub.url());
    let children: Vec<_> = (0..3).map(|_| start_fetching(&setup)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(hub.requests().len(), 1);
    assert_eq!(setup.complete_checkpoints().len(), 1);
}

#[test]
fn a_killed_download_is_resumed_where_it_stopped() {
    let hub = hub(vec![|_| {
        Answer::whole(&content(), TAG).silent_after(15_000)
    }]);
    let setup = Setup::new(&hub.url());
    let mut child = start_fetching(&setup);
    let started = Instant::now();
    while fs::metadata(setup.partial()).map_or(0, |metadata| metadata.len()) < 15_000 {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "nothing is fetched"
        );
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(setup.complete_checkpoints().is_empty());

    assert!(setup.fetch().unwrap() == content());
    assert_eq!(hub.requests()[1].first_byte(), 15_000);
    assert_eq!(hub.requests()[1].sent, 25_000);
}
