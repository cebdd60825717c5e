//! The room of the queue: how much may wait, and who may use which part of it.
//!
//! Room is counted in units and reserved before any work is done for a call. It has three parts. Calls whose callers wait
//! share the first, and what does not fit is rejected. The second is for queries alone, so that no other text can lock
//! them out. The third is for calls in the background, which wait for it in the order of their arrival.
//!
//! A call of more units than the room has enters it in pieces. Its first piece is admitted as any call is; the others wait
//! for room in the order in which they ask, so that large calls take turns, and nothing new gets room before them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::piece::Piece;

/// A text shorter than this many bytes, alone in its call, is a query.
pub const QUERY_BYTES: usize = 4096;
/// A text takes one unit, and another one for each time that it holds this many bytes.
const UNIT_BYTES: usize = 16 * 1024;
/// The room for queries alone is the shared room divided by this number.
const QUERIES_DIVISOR: usize = 4;
/// A piece of a call takes at most the shared room divided by this number.
const PIECES_DIVISOR: usize = 4;

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

    /// The pieces in which the texts of a call enter the room, at least one.
    pub fn pieces(&self, texts: &Arc<[String]>) -> Vec<Piece> {
        if texts.iter().map(|text| units(text)).sum::<usize>() <= self.capacity {
            return vec![Piece::new(texts, 0..texts.len())];
        }
        let most = (self.capacity / PIECES_DIVISOR).max(1);
        let mut pieces = Vec::new();
        let (mut start, mut size) = (0, 0);
        for (index, text) in texts.iter().enumerate() {
            let units = units(text);
            if size + units > most && start < index {
                pieces.push(Piece::new(texts, start..index));
                (start, size) = (index, 0);
            }
            size += units;
        }
        pieces.push(Piece::new(texts, start..texts.len()));
        pieces
    }

    /// Room for a call whose caller waits, if there is any now.
    pub fn try_reserve(&self, piece: &Piece) -> Option<Reservation> {
        let units = self.units_of(piece);
        let from = |part: &Arc<Semaphore>| Arc::clone(part).try_acquire_many_owned(units).ok();
        // A text alone in its piece may be one of many.
        let may_use_both = piece.is_whole() && is_query(piece);
        match from(&self.shared) {
            None if may_use_both => from(&self.queries),
            reservation => reservation,
        }
    }

    /// Room as soon as there is any, in the background's part or in the shared one; nothing once the room is closed.
    pub async fn reserve(&self, texts: &[String], is_background: bool) -> Option<Reservation> {
        let units = self.units_of(texts);
        let part = match is_background {
            true => &self.background,
            false => &self.shared,
        };
        Arc::clone(part).acquire_many_owned(units).await.ok()
    }

    /// Sends away everything that waits for room.
    pub fn close(&self) {
        self.background.close();
        self.shared.close();
    }

    /// A piece always fits into the empty queue.
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
