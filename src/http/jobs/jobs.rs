//! The jobs behind the routes: submitted, looked up, cancelled and retried, from any thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::envelope::Envelope;
use super::job::{Ending, Job};
use super::job_status::JobStatus;
use super::report::{Receipt, Report, Stream};
use super::retention::{JobKind, Retention};
use super::table::Table;
use super::webhook::Courier;
use crate::config;
use crate::jobs::{Execution, Gauge, JobId, Outcome, Waiting};
use crate::service::{Code, Error, Performed, Phase, Service, Unavailable};

/// How long a request for the output of a job that has not ended is held.
const STREAM_WAIT: Duration = Duration::from_secs(5);
/// How long it is held when the program is about to stop: clients ask again at once.
const STREAM_WAIT_STOPPING: Duration = Duration::from_millis(500);
/// Longest pause before a job that was rejected for now is attempted again: room may be free long before all is done.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often expired results are removed; a request never sees one.
const SWEEP: Duration = Duration::from_secs(10);

/// A handle on the jobs; clones share them.
#[derive(Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

struct Inner {
    service: Service,
    /// Where jobs run asynchronously.
    runtime: Handle,
    table: Mutex<Table>,
    courier: Courier,
    /// Asynchronous jobs.
    busy: Gauge,
    waiting: Waiting,
    timed_out: AtomicU64,
}

/// Counts that only the jobs' table knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that wait to be admitted by the service.
    pub waiting: u64,
    /// Jobs that did not end within their policy.
    pub timed_out: u64,
    /// Retries.
    pub retried: u64,
}

impl Jobs {
    /// No jobs yet. Needs a runtime, on which asynchronous jobs run.
    pub fn new(service: Service, settings: &config::Jobs) -> Self {
        let inner = Arc::new(Inner {
            service,
            runtime: Handle::current(),
            table: Mutex::new(Table::new(Retention::from(settings))),
            courier: Courier::new(settings),
            busy: Gauge::default(),
            waiting: Waiting {
                longest_pause: LONGEST_PAUSE,
                max_wait: Duration::MAX,
                jobs: Gauge::default(),
            },
            timed_out: AtomicU64::new(0),
        });
        inner.runtime.spawn(sweep(Arc::downgrade(&inner)));
        Self { inner }
    }

    /// Submits a job that runs asynchronously. It waits as long as the service rejects it for now, which includes the
    /// time in which the model is loading.
    pub fn submit(&self, envelope: Envelope) -> Result<Receipt, Error> {
        let job = self.accept(JobKind::Queued, envelope)?;
        Ok(self.spawn(job))
    }

    /// Executes a job for a waiting caller, and cancels it when the caller disconnects. A job that the service rejects
    /// for now, or cannot execute because of a defect, is an error and leaves no job.
    pub async fn perform(&self, envelope: Envelope) -> Result<Report, Error> {
        let job = self.insert(JobKind::Sync, envelope)?;
        let _caller = Caller {
            jobs: self,
            id: &job.id,
        };
        let service = &self.inner.service;
        let attempt = service.in_time(async { Ok(job.attempt(service).await) });
        let outcome = attempt.await;
        let ending = match outcome.unwrap_or_else(|error| Outcome::Finished(Err(error))) {
            Outcome::Finished(Err(error)) if !refuses_input(error.code()) => {
                self.table().forget_unended(&job.id);
                return Err(error);
            }
            outcome @ (Outcome::Finished(_) | Outcome::TimedOut(_) | Outcome::Cancelled) => {
                self.ending(&job, outcome)
            }
        };
        match ending.and_then(|ending| self.finish(&job, ending)) {
            Some(report) => Ok(report),
            None => self.status(job.id.as_str(), None),
        }
    }

    /// Submits a job that runs asynchronously, and waits for its end, but not longer than `wait`.
    pub async fn perform_within(
        &self,
        envelope: Envelope,
        wait: Duration,
    ) -> Result<Report, Error> {
        let job = self.accept(JobKind::Sync, envelope)?;
        let progress = job.progress.clone();
        let id = self.spawn(job).id;
        let end = tokio::time::timeout(wait, progress.wait_ended());
        // The report says whether it has ended.
        let _ = self.inner.service.unless_abandoned(end).await?;
        self.status(id.as_str(), None)
    }

    /// The report of a job; with `ttl` its result expires that long from now.
    pub fn status(&self, id: &str, ttl: Option<Duration>) -> Result<Report, Error> {
        self.table().report(id, ttl, Instant::now())
    }

    /// The output of a job, unless it was returned before. A job that has not ended is waited for, for a short time.
    pub async fn stream(&self, id: &str) -> Result<Stream, Error> {
        let progress = self.table().progress(id, Instant::now())?;
        let stopping = async {
            self.inner.service.stopping().await;
            sleep(STREAM_WAIT_STOPPING).await;
        };
        tokio::select! {
            () = progress.wait_ended() => {}
            () = stopping => {}
            () = sleep(STREAM_WAIT) => {}
        }
        self.table().stream(id, Instant::now())
    }

    /// Cancels a job, unless it has ended.
    pub fn cancel(&self, id: &str) -> Result<Receipt, Error> {
        let receipt = self.table().cancel(id, Instant::now());
        self.report_ends();
        receipt
    }

    /// Retries a job that failed or timed out.
    pub fn retry(&self, id: &str) -> Result<Receipt, Error> {
        let job = self.table().retry(id, Instant::now())?;
        Ok(self.spawn(job))
    }

    /// Cancels all waiting jobs, and returns how many there were.
    pub fn purge(&self) -> usize {
        let cancelled = self.table().purge(Instant::now());
        self.report_ends();
        cancelled
    }

    /// Counts that only the jobs' table knows.
    pub fn counts(&self) -> Counts {
        Counts {
            waiting: self.inner.waiting.jobs.number() as u64,
            timed_out: self.inner.timed_out.load(Ordering::Relaxed),
            retried: self.table().retried(),
        }
    }

    /// Returns when no asynchronous job runs.
    pub async fn settle(&self) {
        self.inner.busy.none().await;
    }

    /// Gives the webhooks that are still due a last, limited time.
    pub async fn finish_webhooks(&self) {
        self.inner.courier.finish().await;
    }

    fn accept(&self, kind: JobKind, envelope: Envelope) -> Result<Execution, Error> {
        match self.inner.service.phase() {
            Phase::Loading | Phase::Ready => self.insert(kind, envelope),
            Phase::Stopping => Err(Unavailable::Stopping.into()),
        }
    }

    fn insert(&self, kind: JobKind, envelope: Envelope) -> Result<Execution, Error> {
        let id = match kind {
            JobKind::Queued => JobId::generate(),
            JobKind::Sync => JobId::generate_sync(),
        };
        if let Some(webhook) = &envelope.webhook {
            self.inner.courier.check(webhook)?;
        }
        let job = Job::new(kind, envelope, Instant::now());
        let retry_after = || self.inner.service.retry_after();
        self.table().insert(id, job, retry_after)
    }

    /// Runs a job asynchronously.
    fn spawn(&self, job: Execution) -> Receipt {
        let id = job.id.clone();
        let jobs = self.clone();
        self.spawn_counted(&self.inner.busy, async move {
            let outcome = job.run(&jobs.inner.service, &jobs.inner.waiting).await;
            if let Some(ending) = jobs.ending(&job, outcome) {
                jobs.finish(&job, ending);
            }
        });
        let status = JobStatus::InQueue;
        Receipt { id, status }
    }

    /// How a job ended; `None` if it was cancelled, because the cancellation has ended it in the table.
    fn ending(
        &self,
        job: &Execution,
        outcome: Outcome<Result<Performed, Error>>,
    ) -> Option<Ending> {
        match outcome {
            Outcome::Finished(Ok(performed)) => Some(Ending::completed(performed)),
            Outcome::Finished(Err(error)) => {
                job.log_defect(&error);
                let status = JobStatus::of_failure(error.code());
                Some(Ending::failed(status, error.line()))
            }
            Outcome::TimedOut(error) => {
                self.inner.timed_out.fetch_add(1, Ordering::Relaxed);
                Some(Ending::failed(JobStatus::TimedOut, error))
            }
            Outcome::Cancelled => None,
        }
    }

    /// Records a job's end and notifies its webhook, unless it has ended before.
    fn finish(&self, job: &Execution, ending: Ending) -> Option<Report> {
        let report = self
            .table()
            .finish(&job.id, &job.progress, ending, Instant::now())?;
        log::info!(
            job_id = report.id.as_str();
            "job status={} texts={} delay_ms={} execution_ms={}",
            report.status.as_str(),
            report.texts,
            report.delay_time.unwrap_or_default(),
            report.execution_time.unwrap_or_default(),
        );
        self.report_ends();
        Some(report)
    }

    /// Notifies the webhooks of the jobs that have just ended.
    fn report_ends(&self) {
        let ended = self.table().take_due();
        for id in ended {
            let jobs = self.clone();
            self.spawn_counted(self.inner.courier.due(), async move {
                let notice = || jobs.table().notice(id.as_str(), Instant::now());
                jobs.inner.courier.deliver(&id, notice).await;
            });
        }
    }

    fn spawn_counted(&self, gauge: &Gauge, work: impl Future<Output = ()> + Send + 'static) {
        let counted = gauge.count();
        self.inner.runtime.spawn(async move {
            let _counted = counted;
            work.await;
        });
    }

    /// After a panic elsewhere every job of the table is still consistent.
    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.inner.table)
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes expired results until the jobs are dropped.
async fn sweep(jobs: Weak<Inner>) {
    loop {
        sleep(SWEEP).await;
        let Some(inner) = jobs.upgrade() else {
            return;
        };
        lock(&inner.table).sweep(Instant::now());
    }
}

/// Whether the code says that the input is well formed but invalid.
const fn refuses_input(code: Code) -> bool {
    match code {
        Code::Invalid | Code::TooLarge => true,
        Code::Malformed
        | Code::Unauthorized
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::Conflict
        | Code::UnsupportedMediaType
        | Code::Overloaded
        | Code::Internal
        | Code::Unavailable
        | Code::Timeout => false,
    }
}

/// A waiting caller: when it disconnects, its job is cancelled if its end is to be reported, and removed otherwise.
struct Caller<'a> {
    jobs: &'a Jobs,
    id: &'a JobId,
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.jobs.table().abandon(self.id, Instant::now());
        self.jobs.report_ends();
    }
}
