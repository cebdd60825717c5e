//! The queue's side of the application: nothing at all where the settings name no queue.

use actix_web::rt::spawn;
use tokio::task::JoinHandle;

use crate::config::Settings;
use crate::runpod::{Error, Timings, Worker};
use crate::service::Service;

/// A worker that is still to begin, or at work, or none.
pub struct Queue {
    worker: Option<Worker>,
    task: Option<JoinHandle<Result<(), Error>>>,
}

impl Queue {
    /// A worker for the settings' queue, if they name one.
    pub fn new(settings: &Settings, timings: Timings, service: &Service) -> Result<Self, Error> {
        Ok(Self {
            worker: Worker::new(settings, timings, service)?,
            task: None,
        })
    }

    /// Begins to take jobs.
    pub fn start(&mut self) {
        self.task = self.worker.clone().map(|worker| spawn(worker.run()));
    }

    /// Waits until the worker ends, which it does only when it is stopped or broken; for ever where there is none.
    pub async fn ended(&mut self) -> String {
        match &mut self.task {
            Some(task) => format!("{:?}", task.await),
            None => std::future::pending().await,
        }
    }

    /// Tells RunPod that there will never be a worker.
    pub async fn report_unhealthy(&self, reason: &str) {
        if let Some(worker) = &self.worker {
            worker.report_unhealthy(reason).await;
        }
    }

    /// Takes no more jobs, and waits until every answer is acknowledged.
    pub async fn finish(&mut self) {
        if let (Some(worker), Some(task)) = (&self.worker, &mut self.task) {
            worker.stop();
            if let Err(error) = task.await {
                log::error!("the worker ended by itself: {error}");
            }
        }
    }

    /// Names of the jobs that RunPod still waits for; nothing where there are none.
    pub fn unanswered(&self) -> Option<String> {
        let ids = self.worker.as_ref()?.unanswered();
        (!ids.is_empty()).then_some(ids)
    }
}
