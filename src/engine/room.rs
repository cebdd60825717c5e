//! The room of the queue: how much may wait, and who may use which part of it.
//!
//! Room is counted in units and reserved before any work is done for a call. It has three parts. Calls whose callers wait
//! share the first, and what does not fit is rejected. The second is for queries alone, so that no other text can lock
//! them out. The third is for calls in the background, which wait for it in the order of their arrival.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A text shorter than this many bytes, alone in its call, is a query.
pub const QUERY_BYTES: usize = 4096;
/// A text takes one unit, and another one for each time that it holds this many bytes.
const UNIT_BYTES: usize = 16 * 1024;
/// The room for queries alone is the shared room divided by this number.
const QUERIES_DIVISOR: usize = 4;

/// Room for texts; it is given back by dropping it.
pub type Reservation = OwnedSemaphorePermit;

/// The room; see the module's documentation.
pub struct Room {
    /// Units of the shared part and of the background's.
    capacity: usize,
    shared: Arc<Semaphore>,
    queries: Arc<Semaphore>,
    background: Arc<Semaphore>,
}

impl Room {
    /// The room of a queue in which `capacity` short texts may wait.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        let part = |units| Arc::new(Semaphore::new(units));
        Self {
            capacity,
            shared: part(capacity),
            queries: part(capacity / QUERIES_DIVISOR),
            background: part(capacity),
        }
    }

    /// Texts of the largest call.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Room for a call whose caller waits, if there is any now.
    pub fn try_reserve(&self, texts: &[String]) -> Option<Reservation> {
        let units = self.units_of(texts);
        let from = |part: &Arc<Semaphore>| Arc::clone(part).try_acquire_many_owned(units).ok();
        from(&self.shared).or_else(|| from(&self.queries).filter(|_| is_query(texts)))
    }

    /// Room for a call in the background, as soon as there is any; nothing once the room is closed.
    pub async fn reserve(&self, texts: &[String]) -> Option<Reservation> {
        let units = self.units_of(texts);
        let part = Arc::clone(&self.background);
        part.acquire_many_owned(units).await.ok()
    }

    /// Sends away the calls that wait for room.
    pub fn close(&self) {
        self.background.close();
    }

    /// A call that has few enough texts always fits into the empty queue.
    fn units_of(&self, texts: &[String]) -> u32 {
        let units: usize = texts.iter().map(|text| units(text)).sum();
        // The capacity is within `u32`.
        units.min(self.capacity) as u32
    }
}

/// Whether the texts of a call are one query.
pub fn is_query(texts: &[String]) -> bool {
    matches!(texts, [text] if text.len() < QUERY_BYTES)
}

/// The room that one text takes.
pub fn units(text: &str) -> usize {
    1 + text.len() / UNIT_BYTES
}
