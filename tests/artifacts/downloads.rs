//! A hub that fails for a while still gives the pinned file, and no byte of it twice without need.

use std::fs;
use std::time::{Duration, Instant};

use super::hub::{Answer, Hub};
use super::setup::{
    FILE, MODEL, PATH_ON_THE_HUB, Setup, TAG, assert_tells, content, file_pin, files_below, hub,
    hub_that_always, pins,
};

/// The first byte of each request, and how much was sent for it.
fn ranges(hub: &Hub) -> Vec<(usize, usize)> {
    let requests = hub.requests();
    requests
        .iter()
        .map(|request| (request.first_byte(), request.sent))
        .collect()
}

#[track_caller]
fn assert_fetched(setup: &Setup) {
    assert!(setup.fetch().unwrap() == content());
    assert_eq!(files_below(&setup.complete_checkpoints()[0]), [FILE]);
}

#[test]
fn a_file_is_fetched_once_and_kept() {
    let hub = hub(vec![]);
    let setup = Setup::new(&hub.url());
    assert_fetched(&setup);
    assert_fetched(&setup);
    let requests = hub.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path, PATH_ON_THE_HUB);
    let agent = requests[0].header("user-agent").unwrap();
    assert_eq!(agent, concat!("runpod-query/", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_truncated_download_is_resumed_where_it_stopped() {
    let hub = hub(vec![|_| Answer::whole(&content(), TAG).cut_after(15_000)]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(ranges(&hub), [(0, 15_000), (15_000, 25_000)]);
    assert_eq!(hub.requests()[1].header("if-range"), Some("\"first\""));
}

#[test]
fn a_download_that_is_truncated_twice_is_resumed_twice() {
    let hub = hub(vec![
        |_| Answer::whole(&content(), TAG).cut_after(15_000),
        |request| Answer::proper(&content(), TAG, request).cut_after(5_000),
    ]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(
        ranges(&hub),
        [(0, 15_000), (15_000, 5_000), (20_000, 20_000)]
    );
}

#[test]
fn a_reset_connection_is_resumed_where_it_stopped() {
    let hub = hub(vec![|_| Answer::whole(&content(), TAG).reset_after(15_000)]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(ranges(&hub), [(0, 15_000), (15_000, 25_000)]);
}

#[test]
fn a_connection_that_is_reset_before_any_answer_is_tried_again() {
    let hub = hub(vec![
        |_| Answer::whole(&content(), TAG).reset_after(0),
        |_| Answer::status(200).of_untold_length().reset_after(0),
    ]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(ranges(&hub), [(0, 0), (0, 0), (0, 40_000)]);
}

#[test]
fn a_download_that_falls_silent_is_given_up_and_resumed() {
    let hub = hub(vec![|_| {
        Answer::whole(&content(), TAG).silent_after(15_000)
    }]);
    let mut setup = Setup::new(&hub.url());
    setup.sources.retry.read_timeout = Duration::from_secs(3);
    let started = Instant::now();
    assert_fetched(&setup);
    assert!(started.elapsed() >= setup.sources.retry.read_timeout);
    assert_eq!(ranges(&hub), [(0, 15_000), (15_000, 25_000)]);
}

#[test]
fn a_download_that_ends_early_without_a_word_is_resumed() {
    let hub = hub(vec![|_| {
        Answer::whole(&content()[..15_000], TAG).of_untold_length()
    }]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(ranges(&hub), [(0, 15_000), (15_000, 25_000)]);
}

#[test]
fn a_server_that_ignores_the_range_starts_the_file_again() {
    let hub = hub(vec![
        |_| Answer::whole(&content(), TAG).cut_after(15_000),
        |_| Answer::whole(&content(), TAG),
    ]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(ranges(&hub), [(0, 15_000), (15_000, 40_000)]);
}

#[test]
fn a_file_that_changes_between_attempts_is_fetched_from_its_beginning() {
    let hub = hub(vec![|_| {
        Answer::whole(&[7; 40_000], "older").cut_after(15_000)
    }]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(ranges(&hub), [(0, 15_000), (15_000, 40_000)]);
}

#[test]
fn a_part_of_another_version_is_never_joined() {
    let hub = hub(vec![
        |_| Answer::whole(&[7; 40_000], "older").cut_after(15_000),
        |_| Answer::part(&content(), TAG, 15_000),
        // Wrong bytes are forgiven once, so nothing was joined and found wrong before.
        |_| Answer::whole(&[7; 40_000], TAG),
    ]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(hub.requests().len(), 4);
    assert_eq!(hub.requests()[2].header("range"), None);
}

#[test]
fn a_part_that_begins_elsewhere_is_never_joined() {
    let hub = hub(vec![
        |_| Answer::whole(&content(), TAG).cut_after(15_000),
        |_| Answer::part(&content(), TAG, 14_999),
        // Wrong bytes are forgiven once, so nothing was joined and found wrong before.
        |_| Answer::whole(&[7; 40_000], TAG),
    ]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(hub.requests().len(), 4);
    assert_eq!(hub.requests()[2].header("range"), None);
}

#[test]
fn a_tag_that_proves_nothing_is_not_sent_back() {
    let hub = hub(vec![|_| {
        Answer::weakly_tagged(&content()).cut_after(15_000)
    }]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(ranges(&hub), [(0, 15_000), (15_000, 25_000)]);
    assert_eq!(hub.requests()[1].header("if-range"), None);
}

#[test]
fn wrong_bytes_are_fetched_once_more_from_the_beginning() {
    let hub = hub(vec![|_| Answer::whole(&[7; 40_000], TAG)]);
    assert_fetched(&Setup::new(&hub.url()));
    assert_eq!(ranges(&hub), [(0, 40_000), (0, 40_000)]);
}

#[test]
fn an_overloaded_server_is_asked_again_until_attempts_run_out() {
    let recovering = hub(vec![|_| Answer::status(503), |_| Answer::status(500)]);
    assert_fetched(&Setup::new(&recovering.url()));
    assert_eq!(recovering.requests().len(), 3);

    let hub = hub_that_always(|_| Answer::status(503));
    let error = Setup::new(&hub.url()).fetch().unwrap_err();
    assert_tells(
        &error,
        &[
            "small/sub/weights.bin",
            "5 attempts",
            "503 Service Unavailable",
        ],
    );
    assert_eq!(hub.requests().len(), 5);
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it() {
    let hub = hub(vec![|_| Answer::status(429).with("Retry-After", "3600")]);
    let setup = Setup::new(&hub.url());
    let started = Instant::now();
    assert_fetched(&setup);
    assert!(started.elapsed() >= setup.sources.retry.longest_wait);
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_failed_run_is_resumed_by_the_next() {
    let hub = hub(vec![|_| Answer::whole(&content(), TAG).cut_after(15_000)]);
    let mut setup = Setup::new(&hub.url());
    setup.sources.retry.attempts = 1;
    let error = setup.fetch().unwrap_err();
    assert_tells(
        &error,
        &["small/sub/weights.bin", "1 attempt", "15000 of 40000 bytes"],
    );
    assert!(setup.complete_checkpoints().is_empty());
    assert_fetched(&setup);
    assert_eq!(ranges(&hub), [(0, 15_000), (15_000, 25_000)]);
}

#[test]
fn what_a_killed_run_left_is_used_only_if_it_is_the_beginning_of_the_file() {
    let hub = hub(vec![]);
    let other = vec![7; 15_000];
    let too_long = vec![7; 40_001];
    for (left, first_bytes) in [
        (content()[..15_000].to_vec(), vec![15_000]),
        (content(), vec![]),
        (other, vec![15_000, 0]),
        (too_long, vec![0]),
    ] {
        let before = hub.requests().len();
        let setup = Setup::new(&hub.url());
        setup.leave_partial(&left);
        assert_fetched(&setup);
        let asked: Vec<_> = hub.requests()[before..]
            .iter()
            .map(|request| request.first_byte())
            .collect();
        assert_eq!(asked, first_bytes, "{} bytes were left", left.len());
    }
}

#[test]
fn files_that_are_there_are_not_fetched_again_for_the_sake_of_another() {
    let mut pins = pins();
    pins["models"][MODEL]["files"]["another.bin"] = file_pin(b"another");
    let hub = Hub::start(
        vec![
            Box::new(|_| Answer::whole(b"another", TAG)),
            Box::new(|_| Answer::status(404)),
        ],
        Box::new(|request| Answer::proper(&content(), TAG, request)),
    );
    let setup = Setup::with_pins(&hub.url(), pins);
    assert_tells(&setup.fetch().unwrap_err(), &["404"]);
    assert!(setup.fetch().unwrap() == content());
    let paths: Vec<_> = hub
        .requests()
        .iter()
        .map(|request| request.path.clone())
        .collect();
    let another = "/owner/small/resolve/revision/another.bin";
    assert_eq!(paths, [another, PATH_ON_THE_HUB, PATH_ON_THE_HUB]);
}

#[test]
fn a_complete_checkpoint_that_was_damaged_is_fetched_anew() {
    let hub = hub(vec![]);
    let setup = Setup::new(&hub.url());
    assert_fetched(&setup);
    fs::write(setup.complete_checkpoints()[0].join(FILE), "short").unwrap();
    assert_fetched(&setup);
    assert_eq!(hub.requests().len(), 2);
}

#[test]
fn a_redirection_is_followed_and_resumed_through() {
    let redirect: fn(&_) -> _ =
        |_| Answer::status(302).with("Location", "/elsewhere?signature=secret");
    let hub = hub(vec![
        redirect,
        |_| Answer::whole(&content(), TAG).cut_after(15_000),
        redirect,
    ]);
    assert_fetched(&Setup::new(&hub.url()));
    let requests = hub.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests[3].path.starts_with("/elsewhere"));
    assert_eq!(requests[3].first_byte(), 15_000);
}
