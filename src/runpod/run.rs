//! The worker as a whole: it takes jobs, starts them at once, and stops in order.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::addresses::Addresses;
use super::answer::{Answer, answer};
use super::connection::Connection;
use super::heartbeat::{Heartbeat, Pulse};
use super::parse::{Deliveries, Delivery};
use super::poll_pacing::{PollOutcome, PollPacing};
use super::registry::{Admission, Registry, Ticket};
use super::shared::Shared;
use super::take::{Taken, taken};
use super::timings::Timings;
use super::{Error, outbox, stop_channel};
use crate::config::{self, Settings};
use crate::jobs::{Execution, Gauge, JobId, Submission, Waiting};
use crate::service::Service;

/// The failed check that a worker reports when it cannot work.
const FAILED_CHECK: &str = "model";
/// How many times larger a text becomes at most when every character is escaped.
const ESCAPED: usize = 3;
/// Bytes of a delivery around the inputs of its jobs.
const ENVELOPE_BYTES: usize = 1_000_000;

/// A worker of RunPod's queue; clones share it.
#[derive(Clone)]
pub struct Worker {
    shared: Arc<Shared>,
    settings: config::QueueSettings,
}

impl Worker {
    /// A worker that has not started; nothing where the settings name no queue.
    pub fn new(
        settings: &Settings,
        timings: Timings,
        service: &Service,
    ) -> Result<Option<Self>, Error> {
        let Some(take) = &settings.worker.get_job_url else {
            return Ok(None);
        };
        let worker = &settings.worker;
        let name = worker
            .pod_id
            .clone()
            .unwrap_or_else(|| Uuid::new_v4().to_string());
        let timings = timings.with_settings(worker);
        let concurrency = worker.max_concurrency.get();
        let shared = Shared {
            connection: Connection::new(worker.api_key.as_ref(), &timings)?,
            addresses: Arc::new(Addresses::new(worker, take, &name)?),
            statistics: service.metrics().worker.clone(),
            service: service.clone(),
            registry: Arc::new(Registry::new(concurrency)),
            places: Semaphore::new(concurrency),
            waiting: Waiting {
                longest_pause: timings.overloaded,
                max_wait: timings.job,
                jobs: Gauge::default(),
            },
            timings,
            stopping: watch::Sender::new(false),
            job_bytes: settings.server.body_limit_bytes.get(),
        };
        log::info!(
            "queue endpoint={} worker={name} concurrency={concurrency} heartbeat={}",
            worker.endpoint_id.as_deref().unwrap_or("unknown"),
            worker.ping_url.is_some(),
        );
        Ok(Some(Self {
            shared: Arc::new(shared),
            settings: settings.worker.clone(),
        }))
    }

    /// Takes and answers jobs until [`Worker::stop`], and returns when every answer is acknowledged. The model must be
    /// loaded.
    pub async fn run(self) -> Result<(), Error> {
        let shared = &self.shared;
        let _heartbeat = self.heartbeat()?;
        let rest = async {
            take_jobs(shared).await;
            shared.registry.drained().await;
        };
        tokio::select! {
            () = rest => {}
            // Jobs can be stopped until the last one ends.
            () = async { stop_channel::listen(shared).await; std::future::pending().await } => {}
        }
        log::info!("queue drained {}", self.counts());
        Ok(())
    }

    /// Takes no more jobs; those that were taken are answered.
    pub fn stop(&self) {
        self.shared.stopping.send_replace(true);
    }

    /// The ids of the jobs whose answers RunPod has not acknowledged.
    pub fn unanswered(&self) -> String {
        let ids = self.shared.registry.ids();
        ids.iter()
            .map(JobId::to_string)
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Reports to RunPod that this worker will never work.
    pub async fn report_unhealthy(&self, reason: &str) {
        let Some(address) = self.shared.addresses.unhealthy(FAILED_CHECK, reason) else {
            return;
        };
        let limit = self.shared.timings.unhealthy;
        if self.shared.connection.tell(&address, limit).await.is_err() {
            log::warn!("the report that this worker is unhealthy did not reach RunPod");
        }
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, Error> {
        if self.settings.ping_url.is_none() {
            return Ok(None);
        }
        let pulse = Pulse {
            connection: Connection::new(self.settings.api_key.as_ref(), &self.shared.timings)?,
            addresses: Arc::clone(&self.shared.addresses),
            registry: Arc::clone(&self.shared.registry),
            interval: self.shared.timings.ping_interval,
        };
        Heartbeat::start(pulse).map(Some)
    }

    fn counts(&self) -> String {
        let counters = self.shared.statistics.counters();
        let counts = counters.map(|(name, _, counter)| format!("{name}={}", counter.get()));
        counts.join(" ")
    }
}

/// Takes jobs, one request after the other, until the worker is told to stop.
async fn take_jobs(shared: &Arc<Shared>) {
    let mut pacing = PollPacing::new(&shared.timings, fastrand::Rng::new());
    while let Some(wanted) = shared.unless_stopping(shared.registry.room()).await {
        let start = Instant::now();
        let Some(taken) = take(shared, wanted).await else {
            return;
        };
        let polled = match taken {
            Taken::Deliveries(deliveries) => accept(shared, deliveries),
            Taken::Without(polled) => polled,
        };
        if matches!(
            polled,
            PollOutcome::Failed | PollOutcome::Refused | PollOutcome::Throttled(_)
        ) {
            shared.statistics.failed_polls.inc();
        }
        let pause = pacing.after(polled, start.elapsed());
        shared.unless_stopping(tokio::time::sleep(pause)).await;
    }
}

/// One request for jobs. When the worker is told to stop, the request may still deliver for a short time.
async fn take(shared: &Shared, wanted: usize) -> Option<Taken> {
    let busy = shared.registry.load().held() > 0;
    let address = shared.addresses.take(wanted, busy);
    let limit = shared
        .job_bytes
        // One of them may consist of escaped characters.
        .saturating_mul(wanted.saturating_add(ESCAPED - 1))
        .saturating_add(ENVELOPE_BYTES);
    shared.statistics.polls.inc();
    let take = shared.connection.get(&address, limit, shared.timings.poll);
    let answer = shared.within_stop(take, shared.timings.last_take).await;
    let texts = shared.service.limits().texts;
    answer.map(|answer| taken(answer, texts))
}

/// Starts every job of a delivery that is not running yet.
fn accept(shared: &Arc<Shared>, deliveries: Deliveries) -> PollOutcome {
    let statistics = &shared.statistics;
    if deliveries.nameless > 0 {
        log::error!(
            "jobs without an id are dropped count={}",
            deliveries.nameless
        );
        statistics.nameless.inc_by(deliveries.nameless as u64);
    }
    let mut polled = PollOutcome::Nothing;
    for delivery in deliveries.jobs {
        if admit(shared, delivery) {
            polled = PollOutcome::Jobs;
        }
    }
    polled
}

/// Starts a job unless it is running already; returns whether it is new. A job that has ended before is not: a platform
/// that redelivers it repeatedly would otherwise be asked for jobs without a pause.
fn admit(shared: &Arc<Shared>, delivery: Delivery) -> bool {
    let id = delivery.id.clone();
    let (task, is_new) = match shared.registry.admit(delivery) {
        Admission::Held => {
            log::warn!(job_id:% = id; "a job that is running is delivered again");
            shared.statistics.repeated.inc();
            return false;
        }
        Admission::Answered(ticket, body) => {
            log::warn!(job_id:% = id; "a job that was answered is delivered again and gets the same answer");
            shared.statistics.answered_again.inc();
            let answer = Answer {
                body,
                is_output: true,
            };
            let task = post(Arc::clone(shared), ticket, answer, Instant::now());
            (tokio::spawn(task), false)
        }
        Admission::New(ticket, submission) => (start(shared, ticket, submission), true),
        Admission::Again(ticket, submission) => {
            log::warn!(job_id:% = id; "a job that has ended is delivered again and performed again");
            (start(shared, ticket, submission), false)
        }
    };
    shared.registry.attach(&id, task.abort_handle());
    is_new
}

fn start(shared: &Arc<Shared>, ticket: Ticket, submission: Submission) -> JoinHandle<()> {
    shared.statistics.taken.inc();
    tokio::spawn(perform(Arc::clone(shared), ticket, submission))
}

async fn perform(shared: Arc<Shared>, ticket: Ticket, submission: Submission) {
    let job = Execution::new(ticket.id().clone(), Arc::new(submission));
    let taken = job.submitted;
    let place = shared.places.acquire().await;
    let answer = answer(&shared.service, &job, &shared.waiting).await;
    drop(place);
    drop(job);
    ticket.ready();
    post(shared, ticket, answer, taken).await;
}

/// Posts an answer, and starts the job again if RunPod redelivered it while it acknowledged the answer.
async fn post(shared: Arc<Shared>, ticket: Ticket, answer: Answer, taken: Instant) {
    outbox::deliver(&shared, &ticket, answer, taken).await;
    let copy = ticket.take_copy();
    drop(ticket);
    if let Some(copy) = copy {
        admit(&shared, copy);
    }
}
