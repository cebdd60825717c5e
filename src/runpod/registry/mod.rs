//! Every job that RunPod expects an answer to, for takes, posts and the heartbeat.
//!
//! A job enters when it is taken and leaves when its ticket is dropped. So every job that is not acknowledged is in the
//! heartbeat, and a stopped job frees its place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::batch::Batch;
use super::ended_jobs::EndedJobs;
use super::parse::Delivery;
use super::result_cache::ResultCache;
use crate::jobs::{JobId, Submission};

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waiting or running.
    Computing,
    /// Its result is ready and not yet acknowledged.
    Posting,
    /// Its result is not yet acknowledged, and RunPod no longer waits for it.
    Overdue,
}

/// The number of jobs that are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Waiting and running jobs.
    pub computing: usize,
    /// Results that are not yet acknowledged and still expected.
    pub posting: usize,
    /// Results that are not yet acknowledged and come late.
    pub overdue: usize,
}

impl Load {
    /// All of them.
    pub fn held(&self) -> usize {
        self.computing + self.posting + self.overdue
    }
}

struct Held {
    stage: Stage,
    task: Option<AbortHandle>,
    /// A delivery that the answer on its way does not cover: it arrived after that had been sent.
    copy: Option<Delivery>,
}

#[derive(Default)]
struct State {
    held: BTreeMap<JobId, Held>,
    remembered: ResultCache,
    ended: EndedJobs,
}

/// The jobs of one worker.
pub struct Registry {
    concurrency: usize,
    state: Mutex<State>,
    load: watch::Sender<Load>,
}

/// What the worker knows of a delivered job.
pub enum Admission {
    /// It is new.
    New(Ticket, Submission),
    /// It has ended before without a cached result, and runs again.
    Again(Ticket, Submission),
    /// It is waiting or running already.
    Held,
    /// It was answered with this result.
    Answered(Ticket, Bytes),
}

/// A job's place in the registry.
pub struct Ticket {
    registry: Arc<Registry>,
    id: JobId,
    batch: Batch,
}

impl Registry {
    /// A registry without jobs, for a worker that works on `concurrency` jobs at one time.
    pub fn new(concurrency: usize) -> Self {
        Self {
            concurrency,
            state: Mutex::default(),
            load: watch::Sender::default(),
        }
    }

    /// Results that may wait for their acknowledgement before no more jobs are taken.
    fn longest_outbox(&self) -> usize {
        2 * self.concurrency
    }

    /// Adds a delivered job.
    pub fn admit(self: &Arc<Self>, delivery: Delivery) -> Admission {
        let mut state = self.lock();
        if let Some(held) = state.held.get_mut(&delivery.id) {
            held.copy = Some(delivery);
            return Admission::Held;
        }
        let Delivery {
            id,
            batch,
            submission,
        } = delivery;
        let remembered = state.remembered.get(&id);
        let is_known = state.ended.contains(&id);
        let stage = if remembered.is_some() {
            Stage::Posting
        } else {
            Stage::Computing
        };
        let held = Held {
            stage,
            task: None,
            copy: None,
        };
        state.held.insert(id.clone(), held);
        self.publish(&state);
        let ticket = Ticket {
            registry: Arc::clone(self),
            id,
            batch,
        };
        match remembered {
            Some(result) => Admission::Answered(ticket, result),
            None if is_known => Admission::Again(ticket, submission),
            None => Admission::New(ticket, submission),
        }
    }

    /// Records the task that works on a job, so that it can be stopped.
    pub fn attach(&self, id: &JobId, task: AbortHandle) {
        if let Some(held) = self.lock().held.get_mut(id) {
            held.task = Some(task);
        }
    }

    /// Ends the work on a job without an answer; whether there was any.
    pub fn stop(&self, id: &JobId) -> bool {
        let task = self
            .lock()
            .held
            .get_mut(id)
            .and_then(|held| held.task.take());
        task.inspect(AbortHandle::abort).is_some()
    }

    /// Waits until jobs may be taken, and returns how many.
    pub async fn room(&self) -> usize {
        let has_room = |load: &Load| self.free(load) > 0;
        let mut load = self.load.subscribe();
        // The sender lives as long as the registry.
        let load = load.wait_for(has_room).await.map(|load| *load);
        load.map_or(0, |load| self.free(&load))
    }

    fn free(&self, load: &Load) -> usize {
        if load.posting >= self.longest_outbox() {
            return 0;
        }
        self.concurrency.saturating_sub(load.computing)
    }

    /// Waits until no job is held.
    pub async fn drained(&self) {
        let mut load = self.load.subscribe();
        // It fails only when the registry has gone, and its jobs with it.
        let _ = load.wait_for(|load| load.held() == 0).await;
    }

    /// The number of jobs that are held.
    pub fn load(&self) -> Load {
        *self.load.borrow()
    }

    /// The jobs that are held.
    pub fn ids(&self) -> Vec<JobId> {
        self.lock().held.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, state: &State) {
        let count = |stage| {
            state
                .held
                .values()
                .filter(|held| held.stage == stage)
                .count()
        };
        self.load.send_replace(Load {
            computing: count(Stage::Computing),
            posting: count(Stage::Posting),
            overdue: count(Stage::Overdue),
        });
    }

    fn enter(&self, id: &JobId, stage: Stage) {
        let mut state = self.lock();
        if let Some(held) = state.held.get_mut(id) {
            held.stage = stage;
        }
        self.publish(&state);
    }
}

impl Ticket {
    /// The job's id.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// The job's batch, which precedes what the log says of the job.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The result is ready: there is room for another job.
    pub fn ready(&self) {
        self.registry.enter(&self.id, Stage::Posting);
    }

    /// The answer is about to be sent, and with it one to every delivery so far.
    pub fn sending(&self) {
        self.take_copy();
    }

    /// A delivery of the same job that has arrived since the answer was sent: RunPod may have got the answer first,
    /// and wait for another.
    pub fn take_copy(&self) -> Option<Delivery> {
        self.registry.lock().held.get_mut(&self.id)?.copy.take()
    }

    /// RunPod no longer waits for the result; returns whether there is room to keep trying.
    pub fn overdue(&self) -> bool {
        let has_room = self.registry.load().overdue < self.registry.longest_outbox();
        self.registry.enter(&self.id, Stage::Overdue);
        has_room
    }

    /// Caches the result in case the job is delivered again.
    pub fn remember(&self, result: Bytes) {
        let mut state = self.registry.lock();
        state.remembered.insert(self.id.clone(), result);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.registry.lock();
        state.held.remove(&self.id);
        state.ended.insert(&self.id);
        self.registry.publish(&state);
    }
}

#[cfg(test)]
mod tests;
