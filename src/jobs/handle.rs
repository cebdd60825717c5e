//! The callers' side: jobs handed in, looked up and taken back, from any thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::gauge::Gauge;
use super::job::{Ending, Job};
use super::order::Order;
use super::report::{JobId, Receipt, Report, Stream};
use super::retention::{Kind, Retention};
use super::run::{self, Limited};
use super::status::Status;
use super::table::{Assignment, Table};
use super::webhook::Courier;
use crate::config;
use crate::service::{Error, Phase, Service, Unavailable, with_causes};

/// How often results whose time is over are looked for; one that is asked for is gone at once.
const SWEEP: Duration = Duration::from_secs(10);

/// A handle on the jobs; clones share them.
#[derive(Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

struct Inner {
    service: Service,
    /// Where jobs go on when nobody waits for them.
    runtime: Handle,
    table: Mutex<Table>,
    courier: Courier,
    /// Jobs and webhooks that go on.
    busy: Gauge,
    /// Jobs between two tries.
    waiting: Gauge,
    late: AtomicU64,
}

/// What only the jobs' table knows about their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that wait to be admitted by the service.
    pub waiting: u64,
    /// Jobs that did not end within their policy.
    pub late: u64,
    /// Retries.
    pub retried: u64,
}

impl Jobs {
    /// No jobs yet. Needs a runtime, and jobs go on for as long as that runs.
    pub fn new(service: Service, settings: &config::Jobs) -> Self {
        let pause = Duration::from_secs(settings.webhook_pause_seconds.get() as u64);
        let inner = Arc::new(Inner {
            service,
            runtime: Handle::current(),
            table: Mutex::new(Table::new(Retention::from(settings))),
            courier: Courier::new(pause),
            busy: Gauge::default(),
            waiting: Gauge::default(),
            late: AtomicU64::new(0),
        });
        inner.runtime.spawn(sweep(Arc::downgrade(&inner)));
        Self { inner }
    }

    /// Hands in a job that goes on by itself. It waits for as long as the service puts it off, be it that the model is
    /// still loading.
    pub fn submit(&self, order: Order) -> Result<Receipt, Error> {
        let job = self.accept(Kind::Queued, order)?;
        let id = job.id.clone();
        self.go_on(job);
        let status = Status::InQueue;
        Ok(Receipt { id, status })
    }

    /// Performs a job for a caller who waits, and takes it back when the caller goes. What the service puts off or
    /// cannot do for reasons of its own is an error and no job.
    pub async fn perform(&self, order: Order) -> Result<Report, Error> {
        let job = self.insert(Kind::Sync, order)?;
        let _caller = Caller {
            jobs: self,
            id: &job.id,
        };
        let service = &self.inner.service;
        let attempt = service.in_time(async { Ok(run::attempt(service, &job).await) });
        let ending = match attempt.await? {
            Limited::Over => None,
            Limited::Late(error) => Some(self.late(error)),
            Limited::Done(Ok(performed)) => Some(Ending::completed(performed)),
            Limited::Done(Err(error)) if run::refuses_input(error.code()) => {
                Some(Ending::failed(Status::Failed, error.line()))
            }
            Limited::Done(Err(error)) => return Err(error),
        };
        match ending.and_then(|ending| self.finish(&job, ending)) {
            Some(report) => Ok(report),
            None => self.status(job.id.as_str(), None),
        }
    }

    /// Hands in a job that goes on by itself, and waits for its end, but not longer than `wait`.
    pub async fn perform_within(&self, order: Order, wait: Duration) -> Result<Report, Error> {
        let job = self.accept(Kind::Sync, order)?;
        let (id, run) = (job.id.clone(), job.run.clone());
        self.go_on(job);
        // The report says whether it has ended.
        let _ = tokio::time::timeout(wait, run.over()).await;
        self.status(id.as_str(), None)
    }

    /// What is known of a job; with `ttl` its result is forgotten that long from now.
    pub fn status(&self, id: &str, ttl: Option<Duration>) -> Result<Report, Error> {
        self.table().report(id, ttl, Instant::now())
    }

    /// What a job has given since it was last asked.
    pub fn stream(&self, id: &str) -> Result<Stream, Error> {
        self.table().stream(id, Instant::now())
    }

    /// Takes a job back, unless it has ended.
    pub fn cancel(&self, id: &str) -> Result<Receipt, Error> {
        self.table().cancel(id, Instant::now())
    }

    /// Tries a job again that failed or took too long.
    pub fn retry(&self, id: &str) -> Result<Receipt, Error> {
        let job = self.table().retry(id, Instant::now())?;
        let id = job.id.clone();
        self.go_on(job);
        let status = Status::InQueue;
        Ok(Receipt { id, status })
    }

    /// Takes back all jobs that wait, and tells how many there were.
    pub fn purge(&self) -> usize {
        self.table().purge(Instant::now())
    }

    /// What only the jobs' table knows about their number.
    pub fn counts(&self) -> Counts {
        Counts {
            waiting: self.inner.waiting.number() as u64,
            late: self.inner.late.load(Ordering::Relaxed),
            retried: self.table().retried(),
        }
    }

    /// Returns when no job goes on and no webhook waits.
    pub async fn settle(&self) {
        self.inner.busy.none().await;
    }

    fn accept(&self, kind: Kind, order: Order) -> Result<Assignment, Error> {
        match self.inner.service.phase() {
            Phase::Loading | Phase::Ready => self.insert(kind, order),
            Phase::Stopping => Err(Unavailable::Stopping.into()),
        }
    }

    fn insert(&self, kind: Kind, order: Order) -> Result<Assignment, Error> {
        let id = match kind {
            Kind::Queued => JobId::new(),
            Kind::Sync => JobId::new_sync(),
        };
        self.table()
            .insert(id, Job::new(kind, order, Instant::now()))
    }

    /// Lets a job go on by itself.
    fn go_on(&self, job: Assignment) {
        let jobs = self.clone();
        self.spawn(async move {
            if let Some(ending) = jobs.ending(&job).await {
                jobs.finish(&job, ending);
            }
        });
    }

    /// Tries until a job has an end; nothing if somebody else ended it.
    async fn ending(&self, job: &Assignment) -> Option<Ending> {
        loop {
            let error = match run::attempt(&self.inner.service, job).await {
                Limited::Over => return None,
                Limited::Late(error) => return Some(self.late(error)),
                Limited::Done(Ok(performed)) => return Some(Ending::completed(performed)),
                Limited::Done(Err(error)) => error,
            };
            let Some(pause) = run::pause_after(&error) else {
                return Some(failure(job, &error));
            };
            let _waiting = self.inner.waiting.count();
            match run::within_limits(job, tokio::time::sleep(pause)).await {
                Limited::Over => return None,
                Limited::Late(error) => return Some(self.late(error)),
                Limited::Done(()) => {}
            }
        }
    }

    fn late(&self, error: String) -> Ending {
        self.inner.late.fetch_add(1, Ordering::Relaxed);
        Ending::failed(Status::TimedOut, error)
    }

    /// Puts a job's end down and tells of it; nothing if it has ended otherwise.
    fn finish(&self, job: &Assignment, ending: Ending) -> Option<Report> {
        let report = self
            .table()
            .finish(&job.id, &job.run, ending, Instant::now())?;
        log::info!(
            job_id = report.id.as_str();
            "job status={} texts={} delay_ms={} execution_ms={}",
            report.status.as_str(),
            report.texts,
            report.delay_time.unwrap_or_default(),
            report.execution_time.unwrap_or_default(),
        );
        if job.has_webhook {
            self.tell(report.id.clone());
        }
        Some(report)
    }

    fn tell(&self, id: JobId) {
        let jobs = self.clone();
        self.spawn(async move {
            let notice = || jobs.table().notice(id.as_str(), Instant::now());
            jobs.inner.courier.deliver(&id, notice).await;
        });
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let busy = self.inner.busy.count();
        self.inner.runtime.spawn(async move {
            let _busy = busy;
            work.await;
        });
    }

    /// A panic elsewhere leaves a table whose every job is whole.
    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.inner.table)
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets what has been kept for long enough, for as long as there are jobs.
async fn sweep(jobs: Weak<Inner>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(inner) = jobs.upgrade() else {
            return;
        };
        lock(&inner.table).sweep(Instant::now());
    }
}

fn failure(job: &Assignment, error: &Error) -> Ending {
    if let Error::Internal(cause) = error {
        log::error!(
            job_id = job.id.as_str();
            "defect cause={:?}",
            with_causes(cause.as_ref())
        );
    }
    Ending::failed(Status::of_failure(error.code()), error.line())
}

/// A caller who waits: the job goes with them.
struct Caller<'a> {
    jobs: &'a Jobs,
    id: &'a JobId,
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.jobs.table().forget_unended(self.id);
    }
}
