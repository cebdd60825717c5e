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
    // ONNX Runtime's own scratch memory cannot be had from an operator, so every thread keeps what it last needed.
    static SCRATCH: RefCell<Vec<f32>> = RefCell::default();
}

/// Lends `work` as many floats as it needs, with arbitrary values, for as long as it runs.
///
/// # Panics
/// If `work` calls this again on the same thread: there is one buffer for each.
pub fn with_scratch<R>(floats: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < floats {
            scratch.resize(floats, 0.0);
        }
        work(&mut scratch[..floats])
    })
}
