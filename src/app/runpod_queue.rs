//! The application's RunPod queue worker; it does nothing if the settings name no queue.

use actix_web::rt::spawn;
use tokio::task::JoinHandle;

use crate::config::Settings;
use crate::runpod::{Error, ProtocolDurations, Worker};
use crate::service::Service;

/// The worker for RunPod's queue, if one is configured, and its task once it has started.
pub struct RunPodQueue {
    worker: Option<Worker>,
    task: Option<JoinHandle<Result<(), Error>>>,
}

impl RunPodQueue {
    /// Creates a worker for the queue that the settings name, if any.
    pub fn new(
        settings: &Settings,
        durations: ProtocolDurations,
        service: &Service,
    ) -> Result<Self, Error> {
        Ok(Self {
            worker: Worker::new(settings, durations, service)?,
            task: None,
        })
    }

    /// Starts taking jobs.
    pub fn start(&mut self) {
        self.task = self.worker.clone().map(|worker| spawn(worker.run()));
    }

    /// Waits until the worker ends because it was stopped or failed; waits forever if there is no worker.
    pub async fn ended(&mut self) -> String {
        match &mut self.task {
            Some(task) => format!("{:?}", task.await),
            None => std::future::pending().await,
        }
    }

    /// Fails the jobs that wait for a worker that will not become ready, and tells RunPod so.
    pub async fn give_up(&self, reason: &str) {
        if let Some(worker) = &self.worker {
            worker.give_up(reason).await;
        }
    }

    /// Stops taking jobs.
    pub fn stop(&self) {
        if let Some(worker) = &self.worker {
            worker.stop();
        }
    }

    /// Stops taking jobs, then waits until RunPod has acknowledged every result.
    pub async fn finish(&mut self) {
        self.stop();
        if let Some(task) = &mut self.task
            && let Err(error) = task.await
        {
            log::error!("the queue worker failed: {error}");
        }
    }

    /// The ids of the jobs whose result RunPod has not acknowledged; `None` if there are none.
    pub fn unanswered(&self) -> Option<String> {
        let ids = self.worker.as_ref()?.unanswered();
        (!ids.is_empty()).then_some(ids)
    }
}
