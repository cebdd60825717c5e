//! What the parts of a worker have in common.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::addresses::Addresses;
use super::connection::Connection;
use super::job_id::JobId;
use super::registry::Registry;
use super::timings::Timings;
use crate::metrics;
use crate::service::Service;

/// What the parts of a worker share.
pub struct Shared {
    /// The requests.
    pub connection: Connection,
    /// Where they go.
    pub addresses: Arc<Addresses>,
    /// How long they take.
    pub timings: Timings,
    /// What has been done.
    pub statistics: metrics::QueueMetrics,
    /// What performs the jobs.
    pub service: Service,
    /// The jobs.
    pub registry: Arc<Registry>,
    /// A permit for every job that may run at one time.
    pub places: Semaphore,
    /// Whether the worker has been told to end.
    pub stopping: watch::Sender<bool>,
    /// Largest input of one job.
    pub job_bytes: usize,
}

impl Shared {
    /// Waits `pause`, and not longer than `when_stopping` once the worker has been told to end.
    pub async fn pause(&self, pause: Duration, when_stopping: Duration) {
        if self
            .unless_stopping(tokio::time::sleep(pause))
            .await
            .is_none()
        {
            tokio::time::sleep(pause.min(when_stopping)).await;
        }
    }

    /// Stops those of `jobs` that are worked on; whether there was one.
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

    /// What `future` gives, unless the worker is told to end before.
    pub async fn unless_stopping<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.told_to_stop() => None,
            value = future => Some(value),
        }
    }

    /// What `future` gives, for which there is no more than `time` once the worker has been told to end.
    pub async fn within_stop<T>(
        &self,
        future: impl Future<Output = T>,
        time: Duration,
    ) -> Option<T> {
        let over = async {
            self.told_to_stop().await;
            tokio::time::sleep(time).await;
        };
        tokio::select! {
            biased;
            value = future => Some(value),
            () = over => None,
        }
    }

    /// Returns when the worker is told to end.
    pub async fn told_to_stop(&self) {
        // It fails only without a sender, which is in here.
        let _ = self
            .stopping
            .subscribe()
            .wait_for(|stopping| *stopping)
            .await;
    }
}
