//! The shutdown of a worker: within its grace, and without losing a job.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use model::Tokenizer;
use serde_json::json;

use super::{LONG_TEXTS, health_check, healthy, long_job, longer_job};
use crate::support::models::checkpoint;
use crate::support::platform::{Fault, Platform, QueueWorker, Route};

#[test]
fn a_stopped_worker_posts_every_result_within_its_grace_and_exits_with_zero() {
    let platform = Platform::start();
    let ids = ["a", "b", "c"];
    for id in ids {
        platform.submit(id, &long_job());
    }
    platform.script(
        Route::Post,
        [
            Fault::Status(500),
            Fault::Reset,
            Fault::Status(401),
            Fault::Status(503),
        ],
    );
    // A poll stays open until the worker is stopped.
    platform.hold(Duration::from_secs(600));
    let mut worker = QueueWorker::start(&platform);
    // The first take delivered all jobs. A worker that sends the second has received them.
    platform.wait_for_requests(Route::Take, 2);
    worker.served.stop();
    for id in ids {
        assert_eq!(
            platform.answer(id)["output"]["embeddings"]
                .as_array()
                .unwrap()
                .len(),
            LONG_TEXTS
        );
    }
    assert_eq!(platform.requests(Route::Take).len(), 2);
    platform.check();
}

#[test]
fn a_post_without_a_response_does_not_use_up_the_grace() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    platform.script(Route::Post, [Fault::Hang]);
    // Without scaling an attempt may take 60 s, which is longer than the grace.
    let grace = [("RUNPOD_QUERY__SERVER__SHUTDOWN_GRACE_SECONDS", "30")];
    let mut worker = QueueWorker::start_scaled(1, &platform, &[], &grace);
    platform.wait_for_requests(Route::Post, 1);
    worker.served.stop();
    assert_eq!(platform.answer("a"), healthy());
    // On a busy machine the next attempt may exceed its timeout, too.
    assert!(platform.posts("a").len() >= 2);
    platform.check();
}

#[test]
fn heartbeats_continue_until_the_last_acknowledgement() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    platform.script(Route::Post, vec![Fault::Status(500); 1_000]);
    let mut worker = QueueWorker::start(&platform);
    platform.wait_for_requests(Route::Post, 1);
    worker.served.signal("TERM");
    let pings = platform.requests(Route::Ping).len();
    platform.wait_for_requests(Route::Ping, pings + 10);
    assert_eq!(platform.requests(Route::Ping).last().unwrap().jobs(), ["a"]);
    platform.recover();
    assert_eq!(worker.served.wait().code(), Some(0));
    assert_eq!(platform.answer("a"), healthy());
    platform.check();
}

#[test]
fn the_probe_answers_503_while_a_stopping_worker_has_jobs() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    platform.script(Route::Post, vec![Fault::Status(500); 1_000]);
    let mut worker = QueueWorker::start(&platform);
    platform.wait_for_requests(Route::Post, 1);
    assert_eq!(worker.served.ping(), 200);
    worker.served.signal("TERM");
    worker.served.wait_for_status(503);
    platform.recover();
    assert_eq!(worker.served.wait().code(), Some(0));
}

#[test]
fn a_job_that_is_delivered_after_the_signal_still_runs() {
    let platform = Platform::start();
    platform.hold(Duration::from_secs(60));
    // Without scaling the last take stays open for 1.5 s.
    let mut worker = QueueWorker::start_scaled(1, &platform, &[], &[]);
    platform.wait_for_requests(Route::Take, 1);
    worker.served.signal("TERM");
    worker.served.wait_for_status(503);
    platform.submit("late", &health_check());
    assert_eq!(worker.served.wait().code(), Some(0));
    assert_eq!(platform.answer("late"), healthy());
    assert_eq!(platform.requests(Route::Take).len(), 1);
    platform.check();
}

#[test]
fn an_idle_worker_stops_soon_although_its_poll_is_open() {
    let platform = Platform::start();
    platform.hold(Duration::from_secs(600));
    let mut worker = QueueWorker::start_scaled(1, &platform, &[], &[]);
    platform.wait_for_requests(Route::Take, 1);
    let begin = Instant::now();
    worker.served.signal("INT");
    assert_eq!(worker.served.wait().code(), Some(0));
    // The poll is open for 90 s, and the grace is 300 s.
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn a_second_signal_stops_the_worker_at_once_and_logs_the_unanswered_jobs() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let platform = Platform::start();
        platform.submit("stuck", &health_check());
        platform.script(Route::Post, vec![Fault::Status(500); 1_000]);
        let mut worker = QueueWorker::start(&platform);
        platform.wait_for_requests(Route::Post, 1);
        worker.served.signal("TERM");
        worker.served.wait_for_status(503);
        worker.served.signal(signal);
        assert_eq!(worker.served.wait().code(), Some(code));
        assert!(
            worker.served.log().contains("unanswered jobs=stuck"),
            "{}",
            worker.served.log()
        );
    }
}

#[test]
fn a_second_signal_does_not_wait_for_the_tokenization_of_a_long_text() {
    let platform = Platform::start();
    let text = "What is machine learning? ".repeat(700_000);
    let tokenization = tokenization_time(&text);
    platform.submit("long", &json!({"query": text}));
    let mut worker = QueueWorker::start(&platform);
    platform.wait_until_named("long");
    worker.served.signal("TERM");
    worker.served.wait_for_status(503);
    let begin = Instant::now();
    worker.served.signal("TERM");
    assert_eq!(worker.served.wait().code(), Some(143));
    let end = begin.elapsed();
    assert!(
        end < tokenization / 2,
        "{end:?}, and tokenization takes {tokenization:?}"
    );
    let log = worker.served.log();
    assert!(log.contains("unanswered jobs=long"), "{log}");
}

/// Time that the worker's tokenizer takes for a text on this machine.
fn tokenization_time(text: &str) -> Duration {
    let file = checkpoint("tiny-xlm-roberta").join("tokenizer.json");
    let tokenizer = Tokenizer::load(&file, NonZeroUsize::MIN.saturating_add(511)).unwrap();
    let begin = Instant::now();
    tokenizer.tokenize(text).unwrap();
    begin.elapsed()
}

#[test]
fn a_result_that_cannot_be_posted_within_the_grace_is_logged_and_a_failure() {
    let platform = Platform::start();
    platform.submit("stuck", &health_check());
    platform.script(Route::Post, vec![Fault::Status(500); 1_000]);
    let grace = [("RUNPOD_QUERY__SERVER__SHUTDOWN_GRACE_SECONDS", "1")];
    let mut worker = QueueWorker::start_with(&platform, &[], &grace);
    platform.wait_for_requests(Route::Post, 1);
    worker.served.signal("TERM");
    assert_eq!(worker.served.wait().code(), Some(1));
    assert!(
        worker.served.log().contains("unanswered jobs=stuck"),
        "{}",
        worker.served.log()
    );
}

#[test]
fn a_job_whose_worker_was_killed_is_delivered_again_and_has_one_result() {
    let platform = Platform::start();
    platform.submit("a", &longer_job());
    let mut killed = QueueWorker::start(&platform);
    platform.wait_until_delivered("a", 1);
    killed.served.signal("KILL");
    killed.served.wait();
    assert_eq!(platform.posts("a").len(), 0);
    platform.submit("a", &longer_job());
    let _worker = QueueWorker::start(&platform);
    assert_eq!(
        platform.answer("a")["output"]["embeddings"]
            .as_array()
            .unwrap()
            .len(),
        5 * LONG_TEXTS
    );
    assert_eq!(platform.posts("a").len(), 1);
}

#[test]
fn a_stop_before_the_model_is_loaded_exits_with_zero() {
    let platform = Platform::start();
    let mut worker = QueueWorker::start(&platform);
    worker.served.stop();
}
