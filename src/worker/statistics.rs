//! What a worker has done since its start, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// `more` more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many there have been.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one worker.
#[derive(Debug, Default)]
pub struct Statistics {
    /// Takes.
    pub polls: Counter,
    /// Takes that failed or were refused.
    pub failed_polls: Counter,
    /// Jobs taken that the worker did not have.
    pub taken: Counter,
    /// Jobs delivered again while they were worked on, and ignored.
    pub repeated: Counter,
    /// Jobs delivered again after their answer, and answered with the same bytes.
    pub answered_again: Counter,
    /// Jobs that had no name.
    pub nameless: Counter,
    /// Jobs that RunPod asked to stop.
    pub stopped: Counter,
    /// Attempts to post a result.
    pub posts: Counter,
    /// Attempts after the first of each result.
    pub post_retries: Counter,
    /// Results that RunPod has.
    pub acknowledged: Counter,
    /// Results that RunPod did not want any more.
    pub forgotten: Counter,
    /// Results that RunPod refused, replaced by an error.
    pub replaced: Counter,
    /// Results given up: refused even as an error, or late with many others.
    pub given_up: Counter,
}

/// The counts at one moment.
pub type Counts = [(&'static str, u64); 13];

impl Statistics {
    /// Every counter by its name.
    pub fn counts(&self) -> Counts {
        [
            ("polls", self.polls.get()),
            ("failed_polls", self.failed_polls.get()),
            ("taken", self.taken.get()),
            ("repeated", self.repeated.get()),
            ("answered_again", self.answered_again.get()),
            ("nameless", self.nameless.get()),
            ("stopped", self.stopped.get()),
            ("posts", self.posts.get()),
            ("post_retries", self.post_retries.get()),
            ("acknowledged", self.acknowledged.get()),
            ("forgotten", self.forgotten.get()),
            ("replaced", self.replaced.get()),
            ("given_up", self.given_up.get()),
        ]
    }
}
