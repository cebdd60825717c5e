//! The outputs of queries that were asked before, and the queries that are computed now.
//!
//! Owns a bounded cache and the register of running computations, behind one lock: a query is kept, or computed, or known
//! to be neither. What an entry takes is counted with its text and everything else that it owns, and all entries together
//! never take more than their limit. A process serves one model, so a query is its text and the outputs that are asked for.
//!
//! An output never depends on its batch, so what is kept is what computing it again would give, to the bit; graphs of other
//! exporters round differently in other batches, and there it is what was computed first. An error is never kept. A
//! computation belongs to everyone who waits for it: it ends early only when all of them have gone.

use std::collections::{HashMap, btree_map};
use std::hash::RandomState;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, WeakShared};
use quick_cache::unsync::Cache;
use quick_cache::{Lifecycle, Weighter};

use super::Call;
use super::encoded_text::EncodedText;
use super::plan::{Computation, Computed, Found, Participation, Plan};
use super::schedule::Priority;
use crate::metrics;
use model::Outputs;

/// Bytes of an entry besides its text and its outputs: the places in the tables, the counts of references, and the
/// allocator's share. A generous estimate.
const OVERHEAD_BYTES: usize = 256;
/// Bytes of a usual entry, from which the size of the tables follows.
const USUAL_BYTES: usize = 16 * 1024;
/// An entry of more than the limit divided by this number is not kept, so that no text displaces most of the others.
const LARGE_DIVISOR: usize = 8;

/// What is asked about one text.
#[derive(PartialEq, Eq, Hash)]
pub struct Query {
    /// The text.
    pub text: String,
    /// What it is turned into.
    pub outputs: Outputs,
}

/// The cache; see the module's documentation.
pub struct QueryCache {
    limit: usize,
    state: Mutex<State>,
    metrics: metrics::QueryCache,
}

struct State {
    kept: Cache<Arc<Query>, Entry, EntryBytes, RandomState, CountEvictions>,
    /// The queries that are computed now: the computation's number, and the place there.
    running: HashMap<Arc<Query>, (u64, usize)>,
    computations: HashMap<u64, Running>,
    /// The number of the next computation.
    next: u64,
}

struct Entry {
    text: Arc<EncodedText>,
    bytes: usize,
}

struct Running {
    priority: Priority,
    /// The calls of all participants.
    calls: Call,
    computation: WeakShared<BoxFuture<'static, Computed>>,
}

impl QueryCache {
    /// A cache whose entries take at most `limit` bytes.
    pub fn new(limit: NonZeroUsize, metrics: metrics::QueryCache) -> Self {
        let limit = limit.get();
        let kept = Cache::with(
            limit / USUAL_BYTES,
            limit as u64,
            EntryBytes,
            RandomState::new(),
            CountEvictions(metrics.clone()),
        );
        Self {
            limit,
            state: Mutex::new(State {
                kept,
                running: HashMap::new(),
                computations: HashMap::new(),
                next: 0,
            }),
            metrics,
        }
    }

    /// Finds each query of a call: kept, computed now for calls of at least its urgency, or else part of a computation that
    /// begins. `begin` makes it, from the places of its queries in the call, its calls and its registration.
    pub fn plan(
        self: &Arc<Self>,
        queries: Vec<Query>,
        priority: Priority,
        call: &Call,
        begin: impl FnOnce(Vec<usize>, Call, Registration) -> BoxFuture<'static, Computed>,
    ) -> Plan {
        let mut state = self.lock();
        let number = state.next;
        let mut plan = Plan::default();
        let (mut places, mut missing) = (Vec::new(), Vec::new());
        for (place, query) in queries.into_iter().enumerate() {
            let found = if let Some(entry) = state.kept.get(&query) {
                self.metrics.hit();
                Found::Kept(Arc::clone(&entry.text))
            } else if let Some(found) = state.join(&query, priority, call, &mut plan) {
                self.metrics.shared();
                found
            } else {
                self.metrics.missed();
                places.push(place);
                missing.push(Arc::new(query));
                Found::Computed(number, missing.len() - 1)
            };
            plan.found.push(found);
        }
        if missing.is_empty() {
            return plan;
        }
        let calls = Call::of_several();
        let membership = calls.join(call);
        let registration = Registration {
            cache: Arc::clone(self),
            number,
            queries: missing.clone(),
        };
        let computation = begin(places, calls.clone(), registration).shared();
        state.register(priority, calls, &computation, missing);
        plan.own = Some(number);
        plan.computations
            .insert(number, Participation::new(computation, membership));
        plan
    }

    /// Counts again what the entry of a query takes, if it is `text`.
    pub fn recount(&self, query: &Query, text: &Arc<EncodedText>) {
        let mut state = self.lock();
        if let Some(mut entry) = state.kept.peek_mut(query)
            && Arc::ptr_eq(&entry.text, text)
        {
            entry.bytes = bytes(query, text);
        }
    }

    /// How many entries there are, and the bytes that they take together.
    pub fn size(&self) -> (usize, u64) {
        let state = self.lock();
        (state.kept.len(), state.kept.weight())
    }

    /// After a panic elsewhere the tables are complete: no change of them calls foreign code.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of an entry.
fn bytes(query: &Query, text: &EncodedText) -> usize {
    OVERHEAD_BYTES + size_of::<Query>() + query.text.len() + text.bytes()
}

impl State {
    /// Joins the computation of a query, if there is one of at least this urgency: a query never waits for a list's turn.
    fn join(
        &self,
        query: &Query,
        priority: Priority,
        call: &Call,
        plan: &mut Plan,
    ) -> Option<Found> {
        let &(number, place) = self.running.get(query)?;
        let running = self.computations.get(&number)?;
        if running.priority > priority {
            return None;
        }
        if let btree_map::Entry::Vacant(part) = plan.computations.entry(number) {
            // It fails if all participants have gone in this moment.
            let computation = running.computation.upgrade()?;
            part.insert(Participation::new(computation, running.calls.join(call)));
        }
        Some(Found::Computed(number, place))
    }

    fn register(
        &mut self,
        priority: Priority,
        calls: Call,
        computation: &Computation,
        queries: Vec<Arc<Query>>,
    ) {
        // It fails only for a computation that has ended.
        let Some(computation) = computation.downgrade() else {
            return;
        };
        let number = self.next;
        self.next += 1;
        self.computations.insert(
            number,
            Running {
                priority,
                calls,
                computation,
            },
        );
        for (place, query) in queries.into_iter().enumerate() {
            self.running.insert(query, (number, place));
        }
    }
}

/// The queries of a computation, which leave the register when it ends, however that is.
pub struct Registration {
    cache: Arc<QueryCache>,
    number: u64,
    queries: Vec<Arc<Query>>,
}

impl Registration {
    /// Keeps the outputs of the computation, in its order.
    pub fn keep(&self, texts: &[Arc<EncodedText>]) {
        let mut state = self.cache.lock();
        for (query, text) in self.queries.iter().zip(texts) {
            let bytes = bytes(query, text);
            if bytes <= self.cache.limit / LARGE_DIVISOR {
                let text = Arc::clone(text);
                let entry = Entry { text, bytes };
                state.kept.insert(Arc::clone(query), entry);
            }
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        state.computations.remove(&self.number);
        for query in &self.queries {
            // A more urgent call may compute it again, under another number.
            if state
                .running
                .get(query)
                .is_some_and(|(number, _)| *number == self.number)
            {
                state.running.remove(query);
            }
        }
    }
}

struct EntryBytes;

impl Weighter<Arc<Query>, Entry> for EntryBytes {
    fn weight(&self, _: &Arc<Query>, entry: &Entry) -> u64 {
        entry.bytes as u64
    }
}

struct CountEvictions(metrics::QueryCache);

impl Lifecycle<Arc<Query>, Entry> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Arc<Query>, _: Entry) {
        self.0.evicted();
    }
}
