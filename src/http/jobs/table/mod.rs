//! The table of jobs: the only place where a job changes.
//!
//! A job ends once: the result, a limit or a cancellation, whichever comes first; later ones are ignored. Results are
//! removed when they expire, and the oldest make room for new ones. The table reads no clock: every call passes the time.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::job::{Ended, Ending, Job};
use super::report::{Chunk, Receipt, Report, Stream};
use super::retention::Retention;
use super::webhook::Webhook;
use crate::jobs::{Execution, JobId, Progress};
use crate::service::{Error, TooLarge};

/// The table; see the module's documentation.
pub(super) struct Table {
    retention: Retention,
    jobs: HashMap<JobId, Job>,
    /// Jobs that have ended, in the order of their ends.
    ended: BTreeMap<u64, JobId>,
    /// Ends so far.
    ends: u64,
    /// Bytes of all jobs.
    bytes: usize,
    /// Bytes of the jobs that have not ended.
    active_bytes: usize,
    /// Retries so far.
    retried: u64,
    /// Jobs with a webhook that have ended since [`Table::take_due`].
    due: Vec<JobId>,
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
            due: Vec::new(),
        }
    }

    /// Retries so far.
    pub fn retried(&self) -> u64 {
        self.retried
    }

    /// Adds a waiting job. `retry_after` is when a full table is likely to have room.
    pub fn insert(
        &mut self,
        id: JobId,
        job: Job,
        retry_after: impl FnOnce() -> Duration,
    ) -> Result<Execution, Error> {
        let bytes = job.bytes();
        let limit = match job.is_query() {
            true => self.retention.bytes,
            false => self.retention.bytes - self.retention.query_bytes,
        };
        if bytes > limit {
            return Err(TooLarge::Body { limit }.into());
        }
        if self.active_bytes + bytes > limit {
            return Err(Error::Overloaded {
                retry_after: retry_after(),
            });
        }
        self.make_room(bytes, None);
        self.bytes += bytes;
        self.active_bytes += bytes;
        let execution = job.execution(&id).ok_or(Error::UnknownJob);
        self.jobs.insert(id, job);
        execution
    }

    /// The report of a job. With `ttl` its result expires that long after `now`, if not earlier.
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

    /// How far a job is, for whoever waits for its end.
    pub fn progress(&mut self, id: &str, now: Instant) -> Result<Progress, Error> {
        Ok(self.find(id, now)?.1.progress.clone())
    }

    /// The output of a job, unless it was returned before.
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

    /// The webhook of a job that has ended, and what to post there.
    pub fn notice(&mut self, id: &str, now: Instant) -> Option<(Webhook, Report)> {
        let (id, job) = self.find(id, now).ok()?;
        job.ended.as_ref()?;
        Some((job.webhook.clone()?, job.report(&id)))
    }

    /// The jobs whose end must be reported to a webhook, each once for each of its ends.
    pub fn take_due(&mut self) -> Vec<JobId> {
        std::mem::take(&mut self.due)
    }

    /// Records how an execution ended, unless the job has ended otherwise meanwhile.
    pub fn finish(
        &mut self,
        id: &JobId,
        progress: &Progress,
        ending: Ending,
        now: Instant,
    ) -> Option<Report> {
        let job = self.jobs.get(id)?;
        if job.ended.is_some() || !job.progress.is(progress) {
            return None;
        }
        self.end(id, ending, now)
    }

    /// Cancels a job unless it has ended.
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

    /// Makes a job that failed or timed out wait again, under the same id.
    pub fn retry(&mut self, id: &str, now: Instant) -> Result<Execution, Error> {
        let (id, job) = self.find(id, now)?;
        let status = job.status();
        if !status.can_be_retried() {
            let status = status.as_str();
            return Err(Error::NotRetryable { status });
        }
        let before = job.bytes();
        let place = job.ended.as_ref().map(|ended| ended.place);
        job.restart(now);
        let after = job.bytes();
        let execution = job.execution(&id).ok_or(Error::UnknownJob);
        if let Some(place) = place {
            self.ended.remove(&place);
        }
        self.bytes = self.bytes - before + after;
        self.active_bytes += after;
        self.retried += 1;
        execution
    }

    /// Cancels all jobs that wait, and returns how many there were.
    pub fn purge(&mut self, now: Instant) -> usize {
        let waiting: Vec<JobId> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.ended.is_none() && job.progress.cancel_unless_started())
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

    /// Ends a job whose caller has gone: what is to be reported is cancelled, anything else forgotten.
    pub fn abandon(&mut self, id: &JobId, now: Instant) {
        match self.jobs.get(id) {
            Some(job) if job.ended.is_none() && job.webhook.is_some() => {
                self.end(id, Ending::cancelled(), now);
            }
            _ => self.forget_unended(id),
        }
    }

    /// Forgets the results that have expired.
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
        if job.webhook.is_some() {
            self.due.push(id.clone());
        }
        self.ends += 1;
        self.ended.insert(place, id.clone());
        self.bytes = self.bytes - before + after;
        self.active_bytes -= before;
        self.make_room(0, Some(place));
        Some(report)
    }

    /// Forgets the jobs that ended first until `bytes` more are within the limit, but never the one at `kept`: a result
    /// that has just arrived may exceed the limit, which happens only while unfinished jobs use it up.
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
        job.progress.end();
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

#[cfg(test)]
mod tests;
