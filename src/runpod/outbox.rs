//! Delivery of a finished answer: retried with exponential backoff, always with the same bytes, until RunPod
//! acknowledges it.
//!
//! Every delivery ends: acknowledged, no longer wanted, or given up after its bytes and their replacement were refused.

use std::time::{Duration, Instant};

use bytes::Bytes;
use prometheus_client::metrics::gauge::Gauge;

use super::answer::Answer;
use super::backoff::Backoff;
use super::connection::{Failure, Reply};
use super::context::Context;
use super::post_outcome::{PostOutcome, post_outcome};
use super::registry::Ticket;
use crate::service::with_causes;

/// Identical attempts before bytes that RunPod refuses are replaced, and before the replacement is given up.
const REFUSALS: u32 = 2;

/// One answer and the state of its delivery.
struct Parcel<'a> {
    context: &'a Context,
    ticket: &'a Ticket,
    body: Bytes,
    backoff: Backoff,
    /// Timeout of an attempt after the stop was requested; it doubles whenever it is exceeded.
    last_attempt: Duration,
    refusals: u32,
    is_replaced: bool,
    is_overdue: bool,
    attempts: u64,
}

/// What follows an attempt.
enum Next {
    /// RunPod has the answer.
    Acknowledged,
    /// RunPod wants no answer.
    Unwanted,
    /// Another attempt, later.
    After(Duration),
}

/// Delivers the answer to the ticket's job, which was taken at `taken`.
pub async fn deliver(context: &Context, ticket: &Ticket, answer: Answer, taken: Instant) {
    let ready = Instant::now();
    let _waiting = Waiting::count(&context.statistics.outbox);
    let mut parcel = Parcel {
        context,
        ticket,
        body: answer.body.clone(),
        backoff: Backoff::new(context.durations.post_failure, fastrand::Rng::new()),
        last_attempt: context.durations.last_post,
        refusals: 0,
        is_replaced: false,
        is_overdue: false,
        attempts: 0,
    };
    loop {
        match parcel.attempt().await {
            Next::Acknowledged => {
                if answer.is_output && !parcel.is_replaced {
                    ticket.remember(answer.body);
                }
                return parcel.log_end("acknowledged", ready);
            }
            Next::Unwanted => return parcel.log_end("unwanted", ready),
            Next::After(pause) => {
                if !parcel.is_overdue
                    && taken.elapsed() > context.durations.job
                    && !parcel.is_retried_late()
                {
                    return;
                }
                context.pause(pause, context.durations.post_stopping).await;
            }
        }
    }
}

/// Counts an answer as unacknowledged until it is dropped.
struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    fn count(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Parcel<'_> {
    async fn attempt(&mut self) -> Next {
        let Context {
            durations,
            statistics,
            ..
        } = self.context;
        self.ticket.sending();
        statistics.posts.inc();
        if self.attempts > 0 {
            statistics.post_retries.inc();
        }
        self.attempts += 1;
        let outcome = self.send().await;
        let (status, retry_after) = match &outcome {
            Ok(reply) => (Some(reply.status), reply.retry_after),
            Err(_) => (None, None),
        };
        let outcome_of_post = post_outcome(status, retry_after);
        if outcome_of_post != PostOutcome::Acknowledged {
            self.log_failure(&outcome);
        }
        match outcome_of_post {
            PostOutcome::Acknowledged => {
                statistics.acknowledged.inc();
                Next::Acknowledged
            }
            PostOutcome::Forgotten => {
                statistics.forgotten.inc();
                Next::Unwanted
            }
            PostOutcome::Refused => self.refused(status),
            PostOutcome::NotAllowed => Next::After(durations.post_unauthorized),
            PostOutcome::TryAgain(said) => Next::After(said.unwrap_or_else(|| self.backoff.next())),
        }
    }

    /// After the stop was requested, a hanging attempt must leave time for another.
    async fn send(&mut self) -> Result<Reply, Failure> {
        let Context {
            connection,
            addresses,
            durations,
            ..
        } = self.context;
        let post = connection.post(
            addresses,
            self.ticket.id(),
            self.body.clone(),
            durations.post,
        );
        if let Some(outcome) = self.context.within_stop(post, self.last_attempt).await {
            return outcome;
        }
        self.last_attempt *= 2;
        Err(Failure::TimedOut)
    }

    /// A refused result is replaced by an error, so that its client learns of it.
    fn refused(&mut self, status: Option<u16>) -> Next {
        self.refusals += 1;
        if self.refusals < REFUSALS {
            return Next::After(self.backoff.next());
        }
        let (id, batch) = (self.ticket.id(), self.ticket.batch());
        if self.is_replaced {
            log::error!(job_id:% = id; "{batch}result given up: RunPod refuses even an error");
            self.context.statistics.given_up.inc();
            return Next::Unwanted;
        }
        let bytes = self.body.len();
        let status = status.unwrap_or_default();
        log::error!(job_id:% = id; "{batch}result replaced by an error status={status} bytes={bytes}");
        self.context.statistics.replaced.inc();
        self.body = Answer::error(&format!("result of {bytes} bytes refused ({status})")).body;
        self.is_replaced = true;
        self.refusals = 0;
        Next::After(self.backoff.next())
    }

    /// RunPod no longer waits for the result; whether it is still retried.
    fn is_retried_late(&mut self) -> bool {
        let (id, batch) = (self.ticket.id(), self.ticket.batch());
        self.is_overdue = true;
        let is_retried = self.ticket.overdue();
        if is_retried {
            log::error!(job_id:% = id; "{batch}result is late attempts={}", self.attempts);
        } else {
            log::error!(
                job_id:% = id;
                "{batch}result given up attempts={}: too many others are late",
                self.attempts
            );
            self.context.statistics.given_up.inc();
        }
        is_retried
    }

    fn log_failure(&self, outcome: &Result<Reply, Failure>) {
        let (id, batch) = (self.ticket.id(), self.ticket.batch());
        let attempt = self.attempts;
        match outcome {
            Ok(reply) => log::warn!(
                job_id:% = id;
                "{batch}post refused attempt={attempt} status={}",
                reply.status
            ),
            Err(failure) => {
                let cause = with_causes(failure);
                log::warn!(job_id:% = id; "{batch}post failed attempt={attempt} cause={cause:?}");
            }
        }
    }

    fn log_end(&self, outcome: &str, ready: Instant) {
        log::info!(
            job_id:% = self.ticket.id();
            "{}result outcome={outcome} bytes={} attempts={} post_ms={:.1}",
            self.ticket.batch(),
            self.body.len(),
            self.attempts,
            ready.elapsed().as_secs_f64() * 1e3,
        );
    }
}
