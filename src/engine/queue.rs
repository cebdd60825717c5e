//! The texts that wait, shared by all callers and the one thread that takes them.
//!
//! A text gives its room back when it leaves for a batch, or when it is abandoned and another call needs the room.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::gauge::Gauge;
use super::piece::Piece;
use super::retry_after::Pace;
use super::room::{Reservation, Room};
use super::schedule::{Demand, Priority, Scheduler};
use super::{Call, Error};
use model::{BatchLayout, Encoded, Outputs, Tokens};

/// What the engine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineStatus {
    /// Texts in the queue.
    pub queued_texts: usize,
    /// Calls of which no text has left the queue, with those in the background that wait for room.
    pub queued_calls: usize,
    /// Texts in the batch that runs now.
    pub running_texts: usize,
}

/// One text on its way through the queue.
pub(super) struct Entry {
    pub tokens: Tokens,
    pub outputs: Outputs,
    pub demand: Demand,
    pub call: Call,
    pub reply: oneshot::Sender<Result<Encoded, Error>>,
    /// Its room in the queue, given back by dropping it.
    pub room: Option<Reservation>,
}

impl Entry {
    /// Whether nobody wants the vector any more: the call was cancelled, or its future dropped.
    fn is_abandoned(&self) -> bool {
        self.call.is_cancelled() || self.reply.is_closed()
    }
}

/// The queue; see the module's documentation.
pub(super) struct Queue {
    room: Room,
    /// Calls in the background that wait for room.
    outside: Gauge,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: Vec<Entry>,
    scheduler: Scheduler,
    running_texts: usize,
    accepting: bool,
    pace: Pace,
}

impl Queue {
    pub fn new(capacity: usize, layout: BatchLayout, batch_tokens: usize) -> Self {
        Self {
            room: Room::new(capacity),
            outside: Gauge::default(),
            state: Mutex::new(State {
                waiting: Vec::new(),
                scheduler: Scheduler::new(layout, batch_tokens),
                running_texts: 0,
                accepting: true,
                pace: Pace::default(),
            }),
            changed: Condvar::new(),
        }
    }

    /// The pieces in which a call enters the queue.
    pub fn pieces(&self, texts: &Arc<[String]>) -> Vec<Piece> {
        self.room.pieces(texts)
    }

    /// Room for the first piece of a call. A call in the background waits for it.
    pub async fn admit(
        &self,
        piece: &Piece,
        priority: Priority,
        call: &Call,
    ) -> Result<Reservation, Error> {
        if !self.lock().accepting {
            return Err(Error::Stopped);
        }
        if call.is_background() {
            let _outside = self.outside.count();
            return self.wait_for_room(piece, call).await;
        }
        self.room
            .try_reserve(piece)
            .or_else(|| {
                self.lock().forget_abandoned();
                self.room.try_reserve(piece)
            })
            .ok_or_else(|| Error::Overloaded {
                retry_after: self.retry_after(priority),
            })
    }

    /// Room for a piece of a call, as soon as there is any; an error if the call is cancelled by then.
    pub async fn wait_for_room(&self, texts: &[String], call: &Call) -> Result<Reservation, Error> {
        let room = self.room.reserve(texts, call.is_background()).await;
        room.filter(|_| !call.is_cancelled()).ok_or(Error::Stopped)
    }

    /// How long the texts that go before a call of `priority` are likely to take; whole seconds, at least one.
    pub fn retry_after(&self, priority: Priority) -> Duration {
        self.lock().retry_after(priority)
    }

    /// Adds texts whose room is reserved.
    pub fn push(&self, entries: Vec<Entry>) -> Result<(), Error> {
        let mut state = self.lock();
        if !state.accepting {
            return Err(Error::Stopped);
        }
        state.waiting.extend(entries);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for texts and takes the next batch; nothing when the queue is closed and empty.
    pub fn take(&self) -> Option<Vec<Entry>> {
        let mut state = self.lock();
        loop {
            state.forget_abandoned();
            let batch = state.take(Instant::now());
            if !batch.is_empty() {
                return Some(batch);
            }
            if !state.waiting.is_empty() {
                // The whole batch was cancelled in this moment.
                continue;
            }
            if !state.accepting {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes that the batch taken last is done, and what it has cost, if that is known: its tokens and the time.
    pub fn done(&self, cost: Option<(usize, Duration)>) {
        let mut state = self.lock();
        state.running_texts = 0;
        if let Some((tokens, duration)) = cost {
            state.pace.learn(tokens, duration);
        }
    }

    /// Puts texts of the batch taken last back, before that batch is done: each runs again as a batch of its own. They wait
    /// without room, but they are few: they keep their deadlines, so they run before most of what has come after them.
    pub fn put_back(&self, texts: Vec<Entry>) {
        let alone = texts.into_iter().map(|text| Entry {
            demand: text.demand.alone(),
            ..text
        });
        self.lock().waiting.extend(alone);
    }

    /// Rejects all further texts; what waits is still taken.
    pub fn close(&self) {
        self.lock().accepting = false;
        self.room.close();
        self.changed.notify_all();
    }

    /// Rejects all further texts and drops those that wait; their callers get [`Error::Stopped`].
    pub fn abandon(&self) {
        let mut state = self.lock();
        state.accepting = false;
        state.waiting.clear();
        self.room.close();
    }

    /// What waits and runs; abandoned texts are not counted.
    pub fn status(&self) -> EngineStatus {
        let state = self.lock();
        let waiting = || state.waiting.iter().filter(|entry| !entry.is_abandoned());
        let unstarted = waiting().filter(|entry| entry.call.started().is_none());
        let calls: HashSet<_> = unstarted.flat_map(|entry| entry.call.addresses()).collect();
        EngineStatus {
            queued_texts: waiting().count(),
            queued_calls: calls.len() + self.outside.number(),
            running_texts: state.running_texts,
        }
    }

    /// A panic elsewhere leaves no half-done change behind: every change of the state is one statement.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_abandoned(&mut self) {
        self.waiting.retain(|entry| !entry.is_abandoned());
    }

    fn take(&mut self, now: Instant) -> Vec<Entry> {
        let demands: Vec<Demand> = self.waiting.iter().map(|entry| entry.demand).collect();
        let mut indices = self.scheduler.pick(&demands, now);
        // From the back, so that the indices still to come stay right.
        indices.sort_unstable_by(|left, right| right.cmp(left));
        let mut batch: Vec<Entry> = indices
            .into_iter()
            .map(|index| self.waiting.swap_remove(index))
            .collect();
        batch.retain(|entry| entry.call.start(now));
        batch.sort_by_key(|entry| entry.demand.tokens());
        self.running_texts = batch.len();
        batch
    }

    fn retry_after(&self, priority: Priority) -> Duration {
        let demands = self.waiting.iter().map(|entry| entry.demand);
        let before = demands.filter(|demand| demand.priority() <= priority);
        let tokens: usize = before.map(|demand| demand.tokens()).sum();
        self.pace.retry_after(tokens)
    }
}
