//! Parallel loops on the caller's threads, and scratch memory for each thread.
//!
//! Owns no thread. Every task runs exactly once, also where only one thread takes part.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

/// Below this many floats, waking another thread costs more than doing the work.
const WORTH_PARALLEL: usize = 32 * 1024;

/// As many threads as a session may have.
static THREADS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get));

/// Threads that work together, such as those of an ONNX Runtime session.
pub trait Threads {
    /// Why the work could not be run.
    type Error;

    /// Calls `work` with every number below `tasks`, on as many threads as there are, and returns when all are done.
    fn parallel_for(
        &self,
        tasks: usize,
        work: impl Fn(usize) + Sync + Send,
    ) -> Result<(), Self::Error>;
}

/// Runs `work` on every task, on all threads if together the tasks touch enough `floats`.
///
/// Threads take the tasks one by one. A fixed part for each thread, assigned beforehand, would make all wait for the
/// one that wakes up last.
pub fn parallel_for_each<T: Send, S: Threads>(
    threads: &S,
    tasks: impl Iterator<Item = T>,
    floats: usize,
    work: impl Fn(T) + Sync + Send,
) -> Result<(), S::Error> {
    if floats < WORTH_PARALLEL {
        tasks.for_each(work);
        return Ok(());
    }
    let waiting: Vec<Mutex<Option<T>>> = tasks.map(|task| Mutex::new(Some(task))).collect();
    let next = AtomicUsize::new(0);
    let count = waiting.len().min(*THREADS);
    threads.parallel_for(count, |_| {
        while let Some(slot) = waiting.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(task) = slot.lock().ok().and_then(|mut slot| slot.take()) {
                work(task);
            }
        }
    })
}

thread_local! {
    // ONNX Runtime's own scratch memory cannot be had from an operator, so every thread keeps what it last needed: one buffer
    // for each call within a call.
    static SCRATCH: RefCell<Vec<Vec<f32>>> = RefCell::default();
}

/// Lends `work` as many floats as it needs, with arbitrary values, for as long as it runs. `work` may ask for more.
pub fn with_scratch<R>(floats: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut scratch = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    if scratch.len() < floats {
        scratch.resize(floats, 0.0);
    }
    let result = work(&mut scratch[..floats]);
    SCRATCH.with_borrow_mut(|free| free.push(scratch));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_within_scratch_is_other_memory_and_both_are_kept() {
        let addresses = || {
            with_scratch(2, |outer| {
                outer.fill(1.0);
                with_scratch(3, |inner| {
                    inner.fill(2.0);
                    assert_eq!(outer, [1.0, 1.0]);
                    (outer.as_ptr().addr(), inner.as_ptr().addr())
                })
            })
        };
        assert_eq!(addresses(), addresses());
    }
}
