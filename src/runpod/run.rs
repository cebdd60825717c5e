//! The worker: it takes jobs, starts them at once, and stops in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use super::addresses::Addresses;
use super::answer::{Answer, answer};
use super::connection::Connection;
use super::context::Context;
use super::heartbeat::{Heartbeat, Pulse};
use super::parse::{Deliveries, Delivery};
use super::protocol_durations::ProtocolDurations;
use super::registry::{Admission, Registry, Ticket};
use super::take::{Taken, taken};
use super::take_pauses::{TakeOutcome, TakePauses};
use super::{Error, outbox, stop_channel};
use crate::config::{self, Settings};
use crate::jobs::{Execution, Gauge, JobId, Submission, Waiting};
use crate::service::{RequestLimits, Service};

/// The failed check that a worker reports when it cannot work.
const FAILED_CHECK: &str = "model";
/// Largest ratio of an escaped text to the same text unescaped.
const ESCAPED: usize = 3;
/// Bytes of a delivery around the inputs of its jobs.
const ENVELOPE_BYTES: usize = 1_000_000;

/// A worker of RunPod's queue; clones share it.
#[derive(Clone)]
pub struct Worker {
    context: Arc<Context>,
    settings: config::QueueSettings,
}

impl Worker {
    /// A worker that has not started; nothing where the settings name no queue.
    pub fn new(
        settings: &Settings,
        durations: ProtocolDurations,
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
        let durations = durations.with_settings(worker);
        let concurrency = worker.max_concurrency.get();
        let context = Context {
            connection: Connection::new(worker.api_key.as_ref(), &durations)?,
            addresses: Arc::new(Addresses::new(worker, take, &name)?),
            statistics: service.metrics().worker.clone(),
            service: service.with_limits(RequestLimits::of_queued_job(settings)),
            registry: Arc::new(Registry::new(concurrency)),
            places: Semaphore::new(concurrency),
            waiting: Waiting {
                longest_pause: durations.overloaded,
                max_wait: durations.job,
                jobs: Gauge::default(),
            },
            durations,
            stopping: watch::Sender::new(false),
            job_bytes: settings.server.body_limit_bytes.get(),
        };
        log::info!(
            "queue endpoint={} worker={name} concurrency={concurrency} heartbeat={}",
            worker.endpoint_id.as_deref().unwrap_or("unknown"),
            worker.ping_url.is_some(),
        );
        Ok(Some(Self {
            context: Arc::new(context),
            settings: settings.worker.clone(),
        }))
    }

    /// Takes and answers jobs until [`Worker::stop`], and returns when every answer is acknowledged. The model must be
    /// loaded.
    pub async fn run(self) -> Result<(), Error> {
        let context = &self.context;
        let _heartbeat = self.heartbeat()?;
        let rest = async {
            take_jobs(context).await;
            context.registry.drained().await;
        };
        tokio::select! {
            () = rest => {}
            // Jobs can be stopped until the last one ends.
            () = async { stop_channel::listen(context).await; std::future::pending().await } => {}
        }
        log::info!("queue drained {}", self.counts());
        Ok(())
    }

    /// Takes no more jobs; those that were taken are answered.
    pub fn stop(&self) {
        self.context.stopping.send_replace(true);
    }

    /// The ids of the jobs whose answers RunPod has not acknowledged.
    pub fn unanswered(&self) -> String {
        let ids = self.context.registry.ids();
        ids.iter()
            .map(JobId::to_string)
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Takes jobs once, because their callers would wait for a worker that never comes, and lets them fail with what the
    /// service says now; then reports to RunPod that this worker will never work. All of it is limited in time.
    pub async fn give_up(&self, reason: &str) {
        let context = &self.context;
        let ProtocolDurations {
            give_up,
            give_up_take,
            unhealthy,
            ..
        } = context.durations;
        let failing = async {
            let wanted = context.registry.room().await;
            if let Some(Taken::Deliveries(deliveries)) = take(context, wanted, give_up_take).await {
                accept(context, deliveries);
            }
            // Posts are retried as quickly as at any other stop.
            self.stop();
            context.registry.drained().await;
        };
        // What is not acknowledged then is still in the registry.
        let _ = timeout(give_up.saturating_sub(unhealthy), failing).await;
        self.report_unhealthy(reason).await;
    }

    async fn report_unhealthy(&self, reason: &str) {
        let Some(address) = self.context.addresses.unhealthy(FAILED_CHECK, reason) else {
            return;
        };
        let limit = self.context.durations.unhealthy;
        if self.context.connection.tell(&address, limit).await.is_err() {
            log::warn!("the report that this worker is unhealthy did not reach RunPod");
        }
    }

    fn heartbeat(&self) -> Result<Option<Heartbeat>, Error> {
        if self.settings.ping_url.is_none() {
            return Ok(None);
        }
        let pulse = Pulse {
            connection: Connection::new(self.settings.api_key.as_ref(), &self.context.durations)?,
            addresses: Arc::clone(&self.context.addresses),
            registry: Arc::clone(&self.context.registry),
            interval: self.context.durations.ping_interval,
        };
        Heartbeat::start(pulse).map(Some)
    }

    fn counts(&self) -> String {
        let counters = self.context.statistics.counters();
        let counts = counters.map(|(name, _, counter)| format!("{name}={}", counter.get()));
        counts.join(" ")
    }
}

/// Takes jobs, one request after the other, until the worker is told to stop.
async fn take_jobs(context: &Arc<Context>) {
    let mut pacing = TakePauses::new(&context.durations, fastrand::Rng::new());
    while let Some(wanted) = context.unless_stopping(context.registry.room()).await {
        let start = Instant::now();
        let Some(taken) = take(context, wanted, context.durations.poll).await else {
            return;
        };
        let polled = match taken {
            Taken::Deliveries(deliveries) => accept(context, deliveries),
            Taken::Without(polled) => polled,
        };
        if matches!(
            polled,
            TakeOutcome::Failed | TakeOutcome::Refused | TakeOutcome::Throttled(_)
        ) {
            context.statistics.failed_polls.inc();
        }
        let pause = pacing.after(polled, start.elapsed());
        context.unless_stopping(tokio::time::sleep(pause)).await;
    }
}

/// One request for jobs, which the platform may hold for `time`. When the worker is told to stop, the request may still
/// deliver for a short time.
async fn take(context: &Context, wanted: usize, time: Duration) -> Option<Taken> {
    let busy = context.registry.load().held() > 0;
    let address = context.addresses.take(wanted, busy);
    let limit = context
        .job_bytes
        // One of them may consist of escaped characters.
        .saturating_mul(wanted.saturating_add(ESCAPED - 1))
        .saturating_add(ENVELOPE_BYTES);
    context.statistics.polls.inc();
    let take = context.connection.get(&address, limit, time);
    let answer = context.within_stop(take, context.durations.last_take).await;
    let texts = context.service.limits().texts;
    answer.map(|answer| taken(answer, texts))
}

/// Starts every job of a delivery that is not running yet.
fn accept(context: &Arc<Context>, deliveries: Deliveries) -> TakeOutcome {
    let statistics = &context.statistics;
    if deliveries.nameless > 0 {
        log::error!(
            "jobs without an id are dropped count={}",
            deliveries.nameless
        );
        statistics.nameless.inc_by(deliveries.nameless as u64);
    }
    let mut polled = TakeOutcome::Nothing;
    for delivery in deliveries.jobs {
        if admit(context, delivery) {
            polled = TakeOutcome::Jobs;
        }
    }
    polled
}

/// Starts a job unless it is running already; returns whether it is new. A job that has ended before is not: a platform
/// that redelivers it repeatedly would otherwise be asked for jobs without a pause.
fn admit(context: &Arc<Context>, delivery: Delivery) -> bool {
    let (id, batch) = (delivery.id.clone(), delivery.batch.clone());
    let (task, is_new) = match context.registry.admit(delivery) {
        Admission::Held => {
            log::warn!(job_id:% = id; "{batch}a job that is running is delivered again");
            context.statistics.repeated.inc();
            return false;
        }
        Admission::Answered(ticket, body) => {
            log::warn!(job_id:% = id; "{batch}a job that was answered is delivered again and gets the same answer");
            context.statistics.answered_again.inc();
            let answer = Answer {
                body,
                is_output: true,
            };
            let task = post(Arc::clone(context), ticket, answer, Instant::now());
            (tokio::spawn(task), false)
        }
        Admission::New(ticket, submission) => (start(context, ticket, submission), true),
        Admission::Again(ticket, submission) => {
            log::warn!(job_id:% = id; "{batch}a job that has ended is delivered again and performed again");
            (start(context, ticket, submission), false)
        }
    };
    context.registry.attach(&id, task.abort_handle());
    is_new
}

fn start(context: &Arc<Context>, ticket: Ticket, submission: Submission) -> JoinHandle<()> {
    context.statistics.taken.inc();
    tokio::spawn(perform(Arc::clone(context), ticket, submission))
}

async fn perform(context: Arc<Context>, ticket: Ticket, submission: Submission) {
    let job = Execution::new(ticket.id().clone(), Arc::new(submission));
    let taken = job.submitted;
    let place = context.places.acquire().await;
    let answer = answer(&context.service, &job, ticket.batch(), &context.waiting).await;
    drop(place);
    drop(job);
    ticket.ready();
    post(context, ticket, answer, taken).await;
}

/// Posts an answer, and starts the job again if RunPod redelivered it while it acknowledged the answer.
async fn post(context: Arc<Context>, ticket: Ticket, answer: Answer, taken: Instant) {
    outbox::deliver(&context, &ticket, answer, taken).await;
    let copy = ticket.take_copy();
    drop(ticket);
    if let Some(copy) = copy {
        admit(&context, copy);
    }
}
