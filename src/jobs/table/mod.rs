//! The table of jobs: everything that is known of them, and the only place where a job changes.
//!
//! A job ends once: whoever comes first, be it the result, a limit, or somebody who cancels it, and what comes later is
//! dropped. Results leave when their time is over, and those that ended first make room for what comes. Knows no clock:
//! every call says what time it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::job::{Ended, Ending, Job, Run};
use super::policy::Policy;
use super::report::{Chunk, JobId, Receipt, Report, Stream};
use super::retention::Retention;
use super::webhook::Webhook;
use crate::service::{Error, TooLarge};

/// When there is likely to be room in a full table.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The table; see the module's documentation.
pub(super) struct Table {
    retention: Retention,
    jobs: HashMap<JobId, Job>,
    /// Jobs that have ended, in the order of their ends.
    ended: BTreeMap<u64, JobId>,
    /// Ends so far.
    ends: u64,
    /// What all jobs cost.
    bytes: usize,
    /// What the jobs that have not ended cost.
    active_bytes: usize,
    /// Retries so far.
    retried: u64,
}

/// What is needed to perform a job.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub id: JobId,
    pub input: Arc<RawValue>,
    pub policy: Policy,
    pub run: Run,
    pub submitted: Instant,
    pub has_webhook: bool,
}

impl Table {
    pub fn new(retention: Retention) -> Self {
        Self {
            retention,
            jobs: HashMap::new(),
            ended: BTreeMap::new(),
            ends: 0,
            bytes: 0,
            active_bytes: 0,
            retried: 0,
        }
    }

    /// Retries so far.
    pub fn retried(&self) -> u64 {
        self.retried
    }

    /// Adds a job that waits.
    pub fn insert(&mut self, id: JobId, job: Job) -> Result<Assignment, Error> {
        let bytes = job.bytes();
        let limit = self.retention.bytes;
        if bytes > limit {
            return Err(TooLarge::Body { limit }.into());
        }
        if self.active_bytes + bytes > limit {
            return Err(Error::Overloaded {
                retry_after: RETRY_AFTER,
            });
        }
        self.make_room(bytes, None);
        self.bytes += bytes;
        self.active_bytes += bytes;
        let assignment = assignment(&id, &job).ok_or(Error::UnknownJob);
        self.jobs.insert(id, job);
        assignment
    }

    /// What is known of a job. With `ttl` its result is forgotten that long after `now`, if not earlier.
    pub fn report(
        &mut self,
        id: &str,
        ttl: Option<Duration>,
        now: Instant,
    ) -> Result<Report, Error> {
        let (id, job) = self.find(id, now)?;
        if let (Some(ended), Some(expires)) =
            (&mut job.ended, ttl.and_then(|ttl| now.checked_add(ttl)))
        {
            ended.expires = ended.expires.min(expires);
        }
        Ok(job.report(&id))
    }

    /// What a job has given since it was last asked.
    pub fn stream(&mut self, id: &str, now: Instant) -> Result<Stream, Error> {
        let (id, job) = self.find(id, now)?;
        let Report {
            status,
            output,
            error,
            ..
        } = job.report(&id);
        let is_new = job
            .ended
            .as_mut()
            .is_some_and(|ended| !std::mem::replace(&mut ended.streamed, true));
        let stream = output
            .filter(|_| is_new)
            .map(|output| Chunk { output })
            .into_iter()
            .collect();
        Ok(Stream {
            id,
            status,
            stream,
            error,
        })
    }

    /// Whom to tell of a job's end, and what to say.
    pub fn notice(&mut self, id: &str, now: Instant) -> Option<(Webhook, Report)> {
        let (id, job) = self.find(id, now).ok()?;
        job.ended.as_ref()?;
        Some((job.webhook.clone()?, job.report(&id)))
    }

    /// Puts down how a try ended, unless the job has ended otherwise meanwhile.
    pub fn finish(
        &mut self,
        id: &JobId,
        run: &Run,
        ending: Ending,
        now: Instant,
    ) -> Option<Report> {
        let job = self.jobs.get(id)?;
        if job.ended.is_some() || !job.run.is(run) {
            return None;
        }
        self.end(id, ending, now)
    }

    /// Takes a job back unless it has ended.
    pub fn cancel(&mut self, id: &str, now: Instant) -> Result<Receipt, Error> {
        let (id, job) = self.find(id, now)?;
        let status = job.status();
        let status = match job.ended {
            Some(_) => status,
            None => self
                .end(&id, Ending::cancelled(), now)
                .map_or(status, |report| report.status),
        };
        Ok(Receipt { id, status })
    }

    /// Makes a job that failed or took too long wait again, under the same name.
    pub fn retry(&mut self, id: &str, now: Instant) -> Result<Assignment, Error> {
        let (id, job) = self.find(id, now)?;
        let status = job.status();
        if !status.can_be_retried() {
            let status = status.as_str();
            return Err(Error::NotRetryable { status });
        }
        let before = job.bytes();
        let place = job.ended.as_ref().map(|ended| ended.place);
        job.begin_again(now);
        let after = job.bytes();
        let assignment = assignment(&id, job).ok_or(Error::UnknownJob);
        if let Some(place) = place {
            self.ended.remove(&place);
        }
        self.bytes = self.bytes - before + after;
        self.active_bytes += after;
        self.retried += 1;
        assignment
    }

    /// Takes back all jobs that wait, and tells how many there were.
    pub fn purge(&mut self, now: Instant) -> usize {
        let waiting: Vec<JobId> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.ended.is_none() && job.run.call.cancel_unless_started())
            .map(|(id, _)| id.clone())
            .collect();
        for id in &waiting {
            self.end(id, Ending::cancelled(), now);
        }
        waiting.len()
    }

    /// Forgets a job unless it has ended.
    pub fn forget_unended(&mut self, id: &JobId) {
        if self.jobs.get(id).is_some_and(|job| job.ended.is_none()) {
            self.forget(id);
        }
    }

    /// Forgets what has been kept for long enough.
    pub fn sweep(&mut self, now: Instant) {
        let expired: Vec<JobId> = self
            .ended
            .values()
            .filter(|&id| self.jobs.get(id).is_some_and(|job| has_expired(job, now)))
            .cloned()
            .collect();
        for id in &expired {
            self.forget(id);
        }
    }

    fn find(&mut self, id: &str, now: Instant) -> Result<(JobId, &mut Job), Error> {
        let (id, job) = self.jobs.get_key_value(id).ok_or(Error::UnknownJob)?;
        let id = id.clone();
        if has_expired(job, now) {
            self.forget(&id);
        }
        match self.jobs.get_mut(&id) {
            Some(job) => Ok((id, job)),
            None => Err(Error::UnknownJob),
        }
    }

    fn end(&mut self, id: &JobId, ending: Ending, now: Instant) -> Option<Report> {
        let job = self.jobs.get_mut(id)?;
        let before = job.bytes();
        let place = self.ends;
        job.end(Ended {
            ending,
            at: now,
            expires: now + self.retention.time(job.kind),
            place,
            streamed: false,
        });
        let after = job.bytes();
        let report = job.report(id);
        self.ends += 1;
        self.ended.insert(place, id.clone());
        self.bytes = self.bytes - before + after;
        self.active_bytes -= before;
        self.make_room(0, Some(place));
        Some(report)
    }

    /// Forgets the jobs that ended first until `bytes` more are within the limit, all but the one at `kept`: a result
    /// that has just come is worth more than the limit, which it exceeds only where jobs that have not ended use it up.
    fn make_room(&mut self, bytes: usize, kept: Option<u64>) {
        while self.bytes + bytes > self.retention.bytes {
            let oldest = self.ended.iter().find(|(place, _)| Some(**place) != kept);
            let Some(id) = oldest.map(|(_, id)| id.clone()) else {
                return;
            };
            self.forget(&id);
        }
    }

    fn forget(&mut self, id: &JobId) {
        let Some(job) = self.jobs.remove(id) else {
            return;
        };
        let bytes = job.bytes();
        self.bytes -= bytes;
        match job.ended {
            Some(ended) => {
                self.ended.remove(&ended.place);
            }
            None => self.active_bytes -= bytes,
        }
    }
}

fn has_expired(job: &Job, now: Instant) -> bool {
    job.ended.as_ref().is_some_and(|ended| ended.expires <= now)
}

/// Nothing for a job whose input is gone.
fn assignment(id: &JobId, job: &Job) -> Option<Assignment> {
    Some(Assignment {
        id: id.clone(),
        input: Arc::clone(job.input.as_ref()?),
        policy: job.policy,
        run: job.run.clone(),
        submitted: job.submitted,
        has_webhook: job.webhook.is_some(),
    })
}

#[cfg(test)]
mod tests;
