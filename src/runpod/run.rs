//! The worker as a whole: takes jobs, starts them in the same instant, and ends in order.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::addresses::Addresses;
use super::answer::{Answer, answer};
use super::connection::Connection;
use super::heartbeat::{Heartbeat, Pulse};
use super::job_id::JobId;
use super::parse::{Deliveries, Delivery, Input};
use super::poll_pacing::{PollOutcome, PollPacing};
use super::registry::{Admission, Registry, Ticket};
use super::shared::Shared;
use super::take::{Taken, taken};
use super::timings::Timings;
use super::{Error, outbox, stop_channel};
use crate::config::{self, Settings};
use crate::service::Service;

/// What failed when a worker cannot work, as its one message calls it.
const FAILED_CHECK: &str = "model";
/// How many times larger a text becomes at most where every character is escaped.
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
    /// A worker that has not begun; nothing where the settings name no queue.
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
            timings,
            statistics: service.metrics().worker.clone(),
            service: service.clone(),
            registry: Arc::new(Registry::new(concurrency)),
            places: Semaphore::new(concurrency),
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
            // Jobs can be stopped to the end.
            () = async { stop_channel::listen(shared).await; std::future::pending().await } => {}
        }
        log::info!("queue drained {}", self.counts());
        Ok(())
    }

    /// Takes no more jobs; those that are taken are answered.
    pub fn stop(&self) {
        self.shared.stopping.send_replace(true);
    }

    /// The jobs whose answers RunPod does not have.
    pub fn unanswered(&self) -> String {
        let ids = self.shared.registry.ids();
        ids.iter()
            .map(JobId::to_string)
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Tells RunPod that this worker will never work.
    pub async fn report_unhealthy(&self, reason: &str) {
        let Some(address) = self.shared.addresses.unhealthy(FAILED_CHECK, reason) else {
            return;
        };
        let limit = self.shared.timings.unhealthy;
        if self.shared.connection.tell(&address, limit).await.is_err() {
            log::warn!("RunPod could not be told that this worker is not healthy");
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

/// One take after the other until the worker is told to end.
async fn take_jobs(shared: &Arc<Shared>) {
    let mut pacing = PollPacing::new(&shared.timings, fastrand::Rng::new());
    while let Some(wanted) = shared.unless_stopping(shared.registry.room()).await {
        let begin = Instant::now();
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
        let pause = pacing.after(polled, begin.elapsed());
        shared.unless_stopping(tokio::time::sleep(pause)).await;
    }
}

/// One take. When the worker is told to end, it may still deliver for a moment.
async fn take(shared: &Shared, wanted: usize) -> Option<Taken> {
    let busy = shared.registry.load().held() > 0;
    let address = shared.addresses.take(wanted, busy);
    let limit = shared
        .job_bytes
        // One of them may be of escaped characters throughout.
        .saturating_mul(wanted.saturating_add(ESCAPED - 1))
        .saturating_add(ENVELOPE_BYTES);
    shared.statistics.polls.inc();
    let take = shared.connection.get(&address, limit, shared.timings.poll);
    let answer = shared.within_stop(take, shared.timings.last_take).await;
    answer.map(taken)
}

/// Starts every job of a delivery that is not worked on yet.
fn accept(shared: &Arc<Shared>, deliveries: Deliveries) -> PollOutcome {
    let statistics = &shared.statistics;
    if deliveries.nameless > 0 {
        log::error!(
            "jobs without a name are dropped count={}",
            deliveries.nameless
        );
        statistics.nameless.inc_by(deliveries.nameless as u64);
    }
    let mut polled = PollOutcome::Nothing;
    for delivery in deliveries.jobs {
        if begin(shared, delivery) {
            polled = PollOutcome::Jobs;
        }
    }
    polled
}

/// Starts a job unless it is worked on already; whether it is new. A job that has ended before is not new: otherwise a
/// platform that redelivers it repeatedly would be polled without a pause.
fn begin(shared: &Arc<Shared>, delivery: Delivery) -> bool {
    let id = delivery.id.clone();
    let (task, is_new) = match shared.registry.admit(delivery) {
        Admission::Held => {
            log::warn!(job_id:% = id; "a job is delivered again and worked on already");
            shared.statistics.repeated.inc();
            return false;
        }
        Admission::Answered(ticket, body) => {
            log::warn!(job_id:% = id; "a job is delivered again and gets the same answer");
            shared.statistics.answered_again.inc();
            let answer = Answer {
                body,
                is_output: true,
            };
            let task = post(Arc::clone(shared), ticket, answer, Instant::now());
            (tokio::spawn(task), false)
        }
        Admission::New(ticket, input) => (start(shared, ticket, input), true),
        Admission::Again(ticket, input) => {
            log::warn!(job_id:% = id; "a job is delivered again and done once more");
            (start(shared, ticket, input), false)
        }
    };
    shared.registry.attach(&id, task.abort_handle());
    is_new
}

fn start(shared: &Arc<Shared>, ticket: Ticket, input: Input) -> JoinHandle<()> {
    shared.statistics.taken.inc();
    tokio::spawn(perform(Arc::clone(shared), ticket, input))
}

async fn perform(shared: Arc<Shared>, ticket: Ticket, input: Input) {
    let taken = Instant::now();
    let place = shared.places.acquire().await;
    let answer = answer(&shared.service, ticket.id(), input, &shared.timings).await;
    drop(place);
    ticket.ready();
    post(shared, ticket, answer, taken).await;
}

/// Posts an answer, and begins again where RunPod has asked for the job again in the moment of its acknowledgement.
async fn post(shared: Arc<Shared>, ticket: Ticket, answer: Answer, taken: Instant) {
    outbox::deliver(&shared, &ticket, answer, taken).await;
    let copy = ticket.take_copy();
    drop(ticket);
    if let Some(copy) = copy {
        begin(&shared, copy);
    }
}
