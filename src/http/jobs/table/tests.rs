use std::sync::Arc;

use serde_json::value::to_raw_value;

use super::super::envelope::Envelope;
use super::super::job_status::JobStatus;
use super::super::retention::JobKind;
use super::*;
use crate::jobs::{Policy, Submission};
use crate::service::{EmbedRequest, EncodingFormat, Request};
use model::Outputs;

const MINUTE: Duration = Duration::from_secs(60);
/// Bytes of the request of [`Desk::submit`].
const INPUT: usize = 1000;

/// A table, and a clock that is set by hand.
struct Desk {
    table: Table,
    now: Instant,
}

impl Desk {
    /// A table with room for `jobs` jobs that have not ended.
    fn with_room_for(jobs: usize) -> Self {
        let bytes = jobs * job(JobKind::Queued, Instant::now()).bytes();
        let retention = Retention {
            bytes,
            query_bytes: 0,
            queued: 30 * MINUTE,
            sync: MINUTE,
        };
        Self {
            table: Table::new(retention),
            now: Instant::now(),
        }
    }

    fn submit(&mut self, kind: JobKind) -> Result<Execution, Error> {
        let job = job(kind, self.now);
        self.table.insert(JobId::generate(), job, || MINUTE)
    }

    /// A job that has ended with a result of `bytes` bytes.
    fn complete(&mut self, kind: JobKind, bytes: usize) -> JobId {
        let job = self.submit(kind).unwrap();
        self.finish(&job, JobStatus::Completed, bytes).unwrap();
        job.id
    }

    fn finish(&mut self, job: &Execution, status: JobStatus, bytes: usize) -> Option<Report> {
        let text = "x".repeat(bytes.saturating_sub(2));
        let ending = Ending {
            status,
            output: Some(Arc::from(to_raw_value(&text).unwrap())),
            error: None,
            texts: 1,
        };
        self.table.finish(&job.id, &job.progress, ending, self.now)
    }

    fn status(&mut self, id: &JobId) -> Option<JobStatus> {
        let report = self.table.report(id.as_str(), None, self.now);
        report.ok().map(|report| report.status)
    }
}

fn job(kind: JobKind, now: Instant) -> Job {
    let text = "x".repeat(INPUT - size_of::<String>());
    let submission = Submission {
        request: Ok(Request::Query(EmbedRequest {
            texts: [text].into(),
            outputs: Outputs::DENSE,
            encoding_format: EncodingFormat::Float,
        })),
        policy: Policy::default(),
    };
    let webhook = None;
    Job::new(
        kind,
        Envelope {
            submission,
            webhook,
        },
        now,
    )
}

#[test]
fn a_result_is_kept_for_the_time_of_its_kind() {
    let mut desk = Desk::with_room_for(10);
    let queued = desk.complete(JobKind::Queued, 10);
    let sync = desk.complete(JobKind::Sync, 10);
    desk.now += MINUTE - Duration::from_millis(1);
    assert_eq!(desk.status(&sync), Some(JobStatus::Completed));
    desk.now += Duration::from_millis(1);
    assert_eq!(desk.status(&sync), None);
    assert_eq!(desk.status(&queued), Some(JobStatus::Completed));
    desk.now += 29 * MINUTE;
    assert_eq!(desk.status(&queued), None);
}

#[test]
fn a_job_that_has_not_ended_is_never_forgotten() {
    let mut desk = Desk::with_room_for(10);
    let job = desk.submit(JobKind::Sync).unwrap();
    desk.now += 1000 * MINUTE;
    desk.table.sweep(desk.now);
    assert_eq!(desk.status(&job.id), Some(JobStatus::InQueue));
}

#[test]
fn a_caller_may_have_a_result_forgotten_earlier_but_not_later() {
    let mut desk = Desk::with_room_for(10);
    let id = desk.complete(JobKind::Sync, 10);
    for ttl in [100 * MINUTE, MINUTE / 2] {
        desk.table.report(id.as_str(), Some(ttl), desk.now).unwrap();
    }
    desk.now += MINUTE / 2;
    assert_eq!(desk.status(&id), None);
    let id = desk.complete(JobKind::Sync, 10);
    desk.table
        .report(id.as_str(), Some(100 * MINUTE), desk.now)
        .unwrap();
    desk.now += MINUTE;
    assert_eq!(desk.status(&id), None);
}

#[test]
fn the_results_that_ended_first_make_room() {
    let mut desk = Desk::with_room_for(4);
    let ids: Vec<_> = (0..3)
        .map(|_| desk.complete(JobKind::Queued, INPUT))
        .collect();
    let last = desk.complete(JobKind::Queued, 2 * INPUT);
    assert_eq!(desk.status(&ids[0]), None);
    for id in [&ids[1], &ids[2], &last] {
        assert_eq!(desk.status(id), Some(JobStatus::Completed));
    }
    assert!(desk.table.bytes <= desk.table.retention.bytes);
}

#[test]
fn a_table_full_of_jobs_that_have_not_ended_is_overloaded() {
    let mut desk = Desk::with_room_for(2);
    let first = desk.submit(JobKind::Queued).unwrap();
    desk.submit(JobKind::Queued).unwrap();
    let error = desk.submit(JobKind::Queued).unwrap_err();
    assert!(matches!(error, Error::Overloaded { .. }), "{error}");
    desk.table.cancel(first.id.as_str(), desk.now).unwrap();
    desk.submit(JobKind::Queued).unwrap();
}

#[test]
fn a_job_that_no_table_has_room_for_is_too_large() {
    let mut desk = Desk::with_room_for(0);
    let error = desk.submit(JobKind::Queued).unwrap_err();
    assert!(matches!(error, Error::TooLarge(_)), "{error}");
}

#[test]
fn a_part_of_the_memory_is_for_queries_whose_callers_wait() {
    let mut desk = Desk::with_room_for(3);
    desk.table.retention.query_bytes = desk.table.retention.bytes / 3;
    for _ in 0..2 {
        desk.submit(JobKind::Queued).unwrap();
    }
    assert!(desk.submit(JobKind::Queued).is_err());
    desk.submit(JobKind::Sync).unwrap();
    assert!(desk.submit(JobKind::Sync).is_err());
}

#[test]
fn a_new_result_is_kept_even_if_there_is_no_room() {
    let mut desk = Desk::with_room_for(2);
    let job = desk.submit(JobKind::Queued).unwrap();
    desk.submit(JobKind::Queued).unwrap();
    desk.finish(&job, JobStatus::Completed, 100 * INPUT)
        .unwrap();
    assert_eq!(desk.status(&job.id), Some(JobStatus::Completed));
    // It is the first to go.
    desk.submit(JobKind::Queued).unwrap();
    assert_eq!(desk.status(&job.id), None);
}

#[test]
fn a_job_ends_once() {
    let mut desk = Desk::with_room_for(10);
    let job = desk.submit(JobKind::Queued).unwrap();
    let receipt = desk.table.cancel(job.id.as_str(), desk.now).unwrap();
    assert_eq!(receipt.status, JobStatus::Cancelled);
    assert!(desk.finish(&job, JobStatus::Completed, 10).is_none());
    assert_eq!(desk.status(&job.id), Some(JobStatus::Cancelled));

    let job = desk.submit(JobKind::Queued).unwrap();
    desk.finish(&job, JobStatus::Completed, 10).unwrap();
    let receipt = desk.table.cancel(job.id.as_str(), desk.now).unwrap();
    assert_eq!(receipt.status, JobStatus::Completed);
}

#[test]
fn a_try_that_was_given_up_cannot_end_the_next_one() {
    let mut desk = Desk::with_room_for(10);
    let first = desk.submit(JobKind::Queued).unwrap();
    desk.finish(&first, JobStatus::TimedOut, 10).unwrap();
    let second = desk.table.retry(first.id.as_str(), desk.now).unwrap();
    assert_eq!(second.id, first.id);
    assert_eq!(desk.status(&first.id), Some(JobStatus::InQueue));
    assert!(desk.finish(&first, JobStatus::Completed, 10).is_none());
    assert!(desk.finish(&second, JobStatus::Completed, 10).is_some());
    assert_eq!(desk.table.retried(), 1);
}

#[test]
fn only_failed_and_timed_out_jobs_can_be_retried() {
    let mut desk = Desk::with_room_for(10);
    for (status, expected) in [
        (JobStatus::Failed, true),
        (JobStatus::TimedOut, true),
        (JobStatus::Completed, false),
        (JobStatus::Cancelled, false),
    ] {
        let job = desk.submit(JobKind::Queued).unwrap();
        desk.finish(&job, status, 10).unwrap();
        let retried = desk.table.retry(job.id.as_str(), desk.now);
        assert_eq!(retried.is_ok(), expected, "{status:?}");
        if expected {
            let error = desk.table.retry(job.id.as_str(), desk.now).unwrap_err();
            assert!(error.to_string().contains("IN_QUEUE"), "{error}");
        }
    }
}

#[test]
fn a_stream_gives_the_output_once() {
    let mut desk = Desk::with_room_for(10);
    let job = desk.submit(JobKind::Queued).unwrap();
    let chunks = |desk: &mut Desk| {
        let stream = desk.table.stream(job.id.as_str(), desk.now).unwrap();
        stream.stream.len()
    };
    assert_eq!(chunks(&mut desk), 0);
    desk.finish(&job, JobStatus::Completed, 10).unwrap();
    assert_eq!((chunks(&mut desk), chunks(&mut desk)), (1, 0));
}

#[test]
fn a_forgotten_job_uses_no_memory() {
    let mut desk = Desk::with_room_for(10);
    desk.complete(JobKind::Queued, 500);
    let failed = desk.submit(JobKind::Queued).unwrap();
    desk.finish(&failed, JobStatus::Failed, 700).unwrap();
    desk.table.retry(failed.id.as_str(), desk.now).unwrap();
    desk.table.cancel(failed.id.as_str(), desk.now).unwrap();
    let left = desk.submit(JobKind::Sync).unwrap();
    desk.table.forget_unended(&left.id);
    desk.submit(JobKind::Queued).unwrap();
    assert_eq!(desk.table.purge(desk.now), 1);
    assert_eq!(desk.table.active_bytes, 0);
    desk.now += 31 * MINUTE;
    desk.table.sweep(desk.now);
    assert_eq!(desk.table.bytes, 0);
    assert!(desk.table.jobs.is_empty() && desk.table.ended.is_empty());
}
