//! Work shared among the caller's threads.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

/// Below this many floats, waking another thread costs more than doing the work.
const WORTH_SHARING: usize = 32 * 1024;

/// As many threads as a session may have.
static THREADS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get));

/// Threads that work together, such as those of an ONNX Runtime session.
pub trait Threads {
    /// Why the work could not be shared.
    type Error;

    /// Calls `work` with every number below `tasks`, on as many threads as there are, and returns when all are done.
    fn parallel_for(
        &self,
        tasks: usize,
        work: impl Fn(usize) + Sync + Send,
    ) -> Result<(), Self::Error>;
}

/// Does every task, on all of the session's threads where together they touch enough floats.
///
/// Threads take the tasks one by one: ONNX Runtime would give each its part beforehand, and all would wait for the one
/// that wakes up last. A task is taken out of its place by the thread that does it, so each is done exactly once.
pub fn share<T: Send, S: Threads>(
    session: &S,
    tasks: impl Iterator<Item = T>,
    floats: usize,
    work: impl Fn(T) + Sync + Send,
) -> Result<(), S::Error> {
    if floats < WORTH_SHARING {
        tasks.for_each(work);
        return Ok(());
    }
    let places: Vec<Mutex<Option<T>>> = tasks.map(|task| Mutex::new(Some(task))).collect();
    let next = AtomicUsize::new(0);
    let threads = places.len().min(*THREADS);
    session.parallel_for(threads, |_| {
        while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(task) = place.lock().ok().and_then(|mut place| place.take()) {
                work(task);
            }
        }
    })
}

thread_local! {
    // ONNX Runtime's own scratch memory cannot be had from an operator, so every thread keeps what it last needed.
    static SCRATCH: RefCell<Vec<f32>> = RefCell::default();
}

/// Lends `work` as many floats as it needs, of any value, for as long as it runs. There is one loan for each thread, so
/// `work` must not ask for another, nor share tasks that do.
pub fn with_scratch<R>(floats: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < floats {
            scratch.resize(floats, 0.0);
        }
        work(&mut scratch[..floats])
    })
}
