//! The worker's context: connection, settings, jobs and the stop, shared by its tasks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::addresses::Addresses;
use super::connection::Connection;
use super::protocol_durations::ProtocolDurations;
use super::registry::Registry;
use crate::jobs::{JobId, Waiting};
use crate::metrics;
use crate::service::Service;

/// The context that all tasks of a worker share.
pub struct Context {
    /// Sends the requests.
    pub connection: Connection,
    /// Their URLs.
    pub addresses: Arc<Addresses>,
    /// Timeouts, pauses and intervals.
    pub durations: ProtocolDurations,
    /// The metrics.
    pub statistics: metrics::QueueMetrics,
    /// Executes the jobs.
    pub service: Service,
    /// How a job waits while the service is overloaded: as long as RunPod waits for its answer.
    pub waiting: Waiting,
    /// The jobs that are held.
    pub registry: Arc<Registry>,
    /// A permit for every job that may run concurrently.
    pub places: Semaphore,
    /// Whether the worker has been told to stop.
    pub stopping: watch::Sender<bool>,
    /// Largest input of one job, in bytes.
    pub job_bytes: usize,
}

impl Context {
    /// Waits for `pause`, but not longer than `when_stopping` once the worker has been told to stop.
    pub async fn pause(&self, pause: Duration, when_stopping: Duration) {
        if self
            .unless_stopping(tokio::time::sleep(pause))
            .await
            .is_none()
        {
            tokio::time::sleep(pause.min(when_stopping)).await;
        }
    }

    /// Cancels those of `jobs` that are running; returns whether there was one.
    pub fn stop_jobs(&self, jobs: Vec<JobId>) -> bool {
        let mut any = false;
        for id in jobs {
            if self.registry.stop(&id) {
                log::info!(job_id:% = id; "job outcome=stopped");
                self.statistics.stopped.inc();
                any = true;
            }
        }
        any
    }

    /// The output of `future`, unless the worker is told to stop first.
    pub async fn unless_stopping<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.told_to_stop() => None,
            value = future => Some(value),
        }
    }

    /// The output of `future`, which gets no more than `time` once the worker has been told to stop.
    pub async fn within_stop<T>(
        &self,
        future: impl Future<Output = T>,
        time: Duration,
    ) -> Option<T> {
        let timed_out = async {
            self.told_to_stop().await;
            tokio::time::sleep(time).await;
        };
        tokio::select! {
            biased;
            value = future => Some(value),
            () = timed_out => None,
        }
    }

    /// Returns when the worker is told to stop.
    pub async fn told_to_stop(&self) {
        // It fails only without a sender, which `self` owns.
        let _ = self
            .stopping
            .subscribe()
            .wait_for(|stopping| *stopping)
            .await;
    }
}
