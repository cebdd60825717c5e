//! The service: the model once it is loaded, the limits of every request, and what has been counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{SetOnce, watch};

use super::error::LOADING_RETRY_AFTER;
use super::result_size::ResultSize;
use super::{EmbedRequest, Error, ModelInfo, RequestLimits, TooLarge, Unavailable};
use crate::engine::{self, Call, Embedded, Engine, Gauge, Priority, Task};
use crate::metrics::Metrics;

/// What the service serves, once it is loaded.
#[derive(Clone)]
pub struct Loaded {
    /// Turns texts into vectors.
    pub engine: Engine,
    /// What users may know about the model.
    pub model: ModelInfo,
}

/// Where the service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The model is still loading.
    Loading,
    /// Requests are answered.
    Ready,
    /// The program is about to end.
    Stopping,
}

/// A request that was answered.
#[derive(Debug)]
pub struct Performed {
    /// The action's output as JSON.
    pub output: Box<RawValue>,
    /// Texts that were embedded for it.
    pub texts: usize,
    /// How long the request was in the queue.
    pub waited: Duration,
}

/// What the service is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Where it is in its life.
    pub phase: Phase,
    /// The model, once it is loaded.
    pub model: Option<ModelInfo>,
    /// Requests answered since the start.
    pub completed: u64,
    /// Requests refused or failed since the start, without those that were rejected for now.
    pub failed: u64,
    /// Requests of which at least one text has started, or that have no text.
    pub running: u64,
    /// Requests whose texts all wait.
    pub queued: u64,
}

/// A handle on the service with the limits of one transport; clones share the service.
#[derive(Clone)]
pub struct Service {
    limits: RequestLimits,
    inner: Arc<Inner>,
}

struct Inner {
    metrics: Metrics,
    loaded: OnceLock<(Loaded, SystemTime)>,
    /// Why the program is about to end, once it is.
    ending: watch::Sender<Option<Unavailable>>,
    /// Set when callers are no longer answered.
    abandoned: SetOnce<()>,
    completed: AtomicU64,
    failed: AtomicU64,
    /// Requests that are performed; one whose caller disconnects leaves at once.
    active: Gauge,
}

impl Service {
    /// A service whose model is not loaded yet.
    pub fn new(limits: RequestLimits) -> Self {
        Self {
            limits,
            inner: Arc::new(Inner {
                metrics: Metrics::default(),
                loaded: OnceLock::new(),
                ending: watch::Sender::default(),
                abandoned: SetOnce::new(),
                completed: AtomicU64::new(0),
                failed: AtomicU64::new(0),
                active: Gauge::default(),
            }),
        }
    }

    /// A handle on the same service, for a transport with other limits.
    pub fn with_limits(&self, limits: RequestLimits) -> Self {
        Self {
            limits,
            inner: Arc::clone(&self.inner),
        }
    }

    /// Makes the service ready. Only the first call has an effect.
    pub fn fill(&self, loaded: Loaded) {
        self.inner
            .loaded
            .get_or_init(|| (loaded, SystemTime::now()));
    }

    /// Announces that the program is about to stop. Requests are still answered until it does.
    pub fn announce_stop(&self) {
        self.inner.ending.send_replace(Some(Unavailable::Stopping));
    }

    /// Announces that the model cannot be loaded, so that the program is about to stop.
    pub fn announce_failure(&self) {
        self.inner.ending.send_replace(Some(Unavailable::NotLoaded));
    }

    /// Returns when the program is about to stop.
    pub async fn stopping(&self) {
        let mut ending = self.inner.ending.subscribe();
        // It fails only without a sender, which `self` owns.
        let _ = ending.wait_for(Option::is_some).await;
    }

    /// Answers every caller who waits, and every later one, that the program is shutting down.
    pub fn abandon_callers(&self) {
        // Setting it again fails and changes nothing.
        let _ = self.inner.abandoned.set(());
    }

    /// The engine, once the model is loaded.
    pub fn engine(&self) -> Option<&Engine> {
        self.inner.loaded.get().map(|(loaded, _)| &loaded.engine)
    }

    /// When to try again what is rejected for now.
    pub fn retry_after(&self) -> Duration {
        self.engine()
            .map_or(LOADING_RETRY_AFTER, Engine::retry_after)
    }

    /// The model, once it is loaded.
    pub fn model(&self) -> Result<&ModelInfo, Unavailable> {
        Ok(&self.loaded()?.model)
    }

    /// When the model was loaded.
    pub fn loaded_at(&self) -> Option<SystemTime> {
        self.inner.loaded.get().map(|(_, at)| *at)
    }

    /// What one call may ask for.
    pub fn limits(&self) -> &RequestLimits {
        &self.limits
    }

    /// What has been measured.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Where the service is in its life.
    pub fn phase(&self) -> Phase {
        if self.inner.ending.borrow().is_some() {
            Phase::Stopping
        } else if self.inner.loaded.get().is_some() {
            Phase::Ready
        } else {
            Phase::Loading
        }
    }

    /// What the service is doing.
    pub fn health(&self) -> Health {
        let active = self.inner.active.number() as u64;
        let queued = self
            .engine()
            .map_or(0, |engine| engine.status().queued_calls as u64)
            .min(active);
        Health {
            phase: self.phase(),
            model: self.model().ok().cloned(),
            completed: self.inner.completed.load(Ordering::Relaxed),
            failed: self.inner.failed.load(Ordering::Relaxed),
            running: active - queued,
            queued,
        }
    }

    /// Runs the answer to one request, counted and measured.
    pub(super) async fn account<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let start = Instant::now();
        let _active = self.inner.active.count();
        let outcome = answer.await;
        match &outcome {
            Ok(_) => self.inner.completed.fetch_add(1, Ordering::Relaxed),
            // Rejected for now, which is neither of the two.
            Err(error) if error.retry_after().is_some() => 0,
            Err(_) => self.inner.failed.fetch_add(1, Ordering::Relaxed),
        };
        let code = outcome.as_ref().err().map(|error| error.code().as_str());
        self.inner.metrics.requests.ended(start.elapsed(), code);
        outcome
    }

    /// What `future` gives a caller who waits for it, unless the callers are abandoned.
    pub async fn unless_abandoned<T>(&self, future: impl Future<Output = T>) -> Result<T, Error> {
        tokio::select! {
            biased;
            _ = self.inner.abandoned.wait() => Err(Unavailable::Stopping.into()),
            output = future => Ok(output),
        }
    }

    /// The outcome of `answer` for a caller who waits for it: a timeout after the limit.
    pub async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let limit = self.limits.time;
        let answer = tokio::time::timeout(limit, answer);
        let outcome = self.unless_abandoned(answer).await?;
        outcome.unwrap_or_else(|_| {
            self.inner.failed.fetch_add(1, Ordering::Relaxed);
            let error = Error::Timeout { limit };
            let code = error.code().as_str();
            self.inner.metrics.requests.ended(limit, Some(code));
            Err(error)
        })
    }

    /// An answer as JSON, unless it is above its limit.
    pub(super) fn performed<T: Serialize>(
        &self,
        output: &T,
        texts: usize,
        waited: Duration,
    ) -> Result<Performed, Error> {
        let output = to_raw_value(output).map_err(Error::internal)?;
        self.within_limit(output, texts, waited)
    }

    /// An answer that is written, unless it is above its limit.
    pub(super) fn within_limit(
        &self,
        output: Box<RawValue>,
        texts: usize,
        waited: Duration,
    ) -> Result<Performed, Error> {
        self.check_result(texts, output.get().len())?;
        Ok(Performed {
            output,
            texts,
            waited,
        })
    }

    /// The outputs of a request's texts. An error if the model does not give them, or if the result would be above its limit:
    /// before they are computed, but for a request that enters the queue in pieces.
    pub(super) async fn embed(
        &self,
        request: &EmbedRequest,
        priority: Priority,
        call: Call,
    ) -> Result<Embedded, Error> {
        let Loaded { engine, model } = self.loaded()?;
        let (texts, outputs) = (&request.texts, request.outputs);
        model.check_outputs(outputs)?;
        let size = ResultSize::new(texts.len(), outputs, request.encoding_format, model);
        // Every text has a token that begins it.
        self.check_result(texts.len(), size.bytes(texts.len()))?;
        let task = Task {
            texts: Arc::clone(texts),
            outputs,
            most_tokens: size.most_tokens(self.limits.result_bytes),
        };
        match engine.embed(task, priority, call).await {
            Ok(embedded) => {
                self.inner.metrics.requests.gave(outputs, texts.len());
                Ok(embedded)
            }
            Err(engine::Error::TooManyTokens { tokens }) => {
                let bytes = size.bytes(tokens);
                Err(self.too_large(texts.len(), bytes).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn loaded(&self) -> Result<&Loaded, Unavailable> {
        let loaded = self.inner.loaded.get().map(|(loaded, _)| loaded);
        loaded.ok_or_else(|| match *self.inner.ending.borrow() {
            Some(Unavailable::NotLoaded) => Unavailable::NotLoaded,
            Some(Unavailable::Loading | Unavailable::Stopping) | None => Unavailable::Loading,
        })
    }

    fn check_result(&self, texts: usize, bytes: usize) -> Result<(), TooLarge> {
        if bytes <= self.limits.result_bytes {
            return Ok(());
        }
        Err(self.too_large(texts, bytes))
    }

    fn too_large(&self, texts: usize, bytes: usize) -> TooLarge {
        let limit = self.limits.result_bytes;
        TooLarge::Result {
            texts,
            bytes,
            limit,
            fitting: texts.saturating_mul(limit) / bytes,
        }
    }
}
