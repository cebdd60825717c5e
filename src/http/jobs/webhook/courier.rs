//! Posting reports.
//!
//! The report is read from the table at every attempt, so that a server that does not answer keeps no result in memory longer
//! than the table does. A receiver that does not answer has a part of the places at most, and at the end of the server a part
//! of the time.

use std::collections::HashMap;
use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use tokio::sync::{Semaphore, SetOnce};
use tokio::time::{sleep, timeout};

use super::Webhook;
use super::destinations::{Destinations, NotPublic, SystemResolver};
use crate::config;
use crate::http::jobs::report::Report;
use crate::jobs::{Gauge, JobId};
use crate::service::{Malformed, with_causes};

/// Attempts in all, as RunPod makes them.
const ATTEMPTS: u32 = 3;
/// Longest time for one attempt, as in RunPod's own development server.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Concurrent attempts: each has a connection and a copy of a result.
const CONCURRENT: usize = 64;
/// Concurrent attempts at one host, so that those who answer slowly leave places to others.
const CONCURRENT_AT_HOST: usize = 8;
/// Longest time for the reports that are still due when the server ends.
const LAST_TIME: Duration = Duration::from_secs(3);

/// Why an attempt failed. What lies below an error of the client may show the host, so only its kind is told.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the report cannot be written")]
    Report(#[from] serde_json::Error),
    #[error(transparent)]
    NotPublic(NotPublic),
    #[error("the host's name cannot be resolved")]
    Unresolved,
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    TimedOut,
    #[error("the connection failed: {0}")]
    Connection(io::ErrorKind),
    #[error("the request failed")]
    Request,
    #[error("the answer is {0}")]
    Answer(StatusCode),
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        let causes = || std::iter::successors(error.source(), |&cause| cause.source());
        let kind = causes().find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
        if causes().any(|cause| cause.is::<NotPublic>()) {
            Self::NotPublic(NotPublic)
        } else if error.is_dns() {
            Self::Unresolved
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            kind.map_or(Self::Request, Self::Connection)
        }
    }
}

/// Delivers reports.
pub struct Courier {
    /// Created for the first delivery, because that is slow and most servers never need it.
    client: OnceLock<Client>,
    destinations: Arc<Destinations<SystemResolver>>,
    pause: Duration,
    /// Reports that are due.
    due: Gauge,
    places: Semaphore,
    /// Places of the hosts to which a report is due.
    hosts: Mutex<HashMap<String, Weak<Semaphore>>>,
    /// Set when the server ends.
    ending: SetOnce<()>,
}

impl Courier {
    pub fn new(settings: &config::Jobs) -> Self {
        Self {
            client: OnceLock::new(),
            destinations: Arc::new(Destinations::new(&settings.webhook_hosts, SystemResolver)),
            pause: Duration::from_secs(settings.webhook_pause_seconds.get() as u64),
            due: Gauge::default(),
            places: Semaphore::new(CONCURRENT),
            hosts: Mutex::default(),
            ending: SetOnce::new(),
        }
    }

    /// Refuses a webhook to which no report may be posted.
    pub fn check(&self, Webhook(url): &Webhook) -> Result<(), Malformed> {
        match self.destinations.may_be(url) {
            true => Ok(()),
            false => Err(super::refuse("an address that is not public")),
        }
    }

    /// The reports that are due; each is counted until its delivery has ended.
    pub fn due(&self) -> &Gauge {
        &self.due
    }

    /// Gives each report that is still due one attempt, and returns when none is due or the time for it is over.
    pub async fn finish(&self) {
        // It fails when it is called again.
        let _ = self.ending.set(());
        if timeout(LAST_TIME, self.due.none()).await.is_err() {
            log::warn!("webhooks undelivered={}", self.due.number());
        }
    }

    /// Posts the report that `notice` gives to its webhook, until it is acknowledged or the attempts are used up; nothing
    /// when the job has been forgotten meanwhile.
    pub async fn deliver(&self, id: &JobId, notice: impl Fn() -> Option<(Webhook, Report)>) {
        let forgotten = || log::warn!(job_id = id.as_str(); "webhook: the job is forgotten");
        let Some((Webhook(url), _)) = notice() else {
            return forgotten();
        };
        let at_host = self.places_at_host(&url);
        for number in 1..=ATTEMPTS {
            // No semaphore is ever closed.
            let places = (at_host.acquire().await, self.places.acquire().await);
            let is_last = number == ATTEMPTS || self.ending.initialized();
            let Some((webhook, report)) = notice() else {
                return forgotten();
            };
            match self.post(webhook, &report).await {
                Ok(()) => {
                    return log::info!(job_id = id.as_str(); "webhook attempt={number} delivered");
                }
                Err(error) => log::warn!(
                    job_id = id.as_str();
                    "webhook attempt={number} of {ATTEMPTS} failed: {}",
                    with_causes(&error)
                ),
            }
            drop(places);
            if is_last {
                return;
            }
            tokio::select! {
                () = sleep(self.pause) => {}
                _ = self.ending.wait() => {}
            }
        }
    }

    fn places_at_host(&self, url: &Url) -> Arc<Semaphore> {
        let host = url.host_str().unwrap_or_default();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = hosts.get(host).and_then(Weak::upgrade) {
            return places;
        }
        hosts.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(CONCURRENT_AT_HOST));
        hosts.insert(host.to_owned(), Arc::downgrade(&places));
        places
    }

    async fn post(&self, Webhook(url): Webhook, report: &Report) -> Result<(), Error> {
        let body = serde_json::to_vec(report)?;
        let request = self.client()?.post(url).body(body);
        let response = request
            .header(CONTENT_TYPE, "application/json")
            .send()
            .await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(Error::Answer(status)),
        }
    }

    /// A redirect is not an acknowledgement, and following it would turn the POST into a GET and lead anywhere.
    fn client(&self) -> Result<&Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::clone(&self.destinations))
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }
}
