//! The engine's handle: where the outputs of a call's texts come from.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::distinct::{CountedTexts, DistinctTexts};
use super::encoded_text::{EncodedText, WrittenVectors};
use super::encoder_thread::{self, Encode};
use super::pipeline::{CallContext, Pipeline};
use super::plan::Computed;
use super::query_cache::{Query, QueryCache, Registration};
use super::queue::{EngineStatus, Queue};
use super::schedule::Priority;
use super::task::Task;
use super::{Call, Error};
use crate::config;
use crate::metrics;
use model::{Embedding, Encoded, Outputs, Tokenizer};

/// Name of the thread that owns the encoder.
const THREAD_NAME: &str = "encoder";

/// The outputs of one call.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// One for each text, in the order of the texts. Equal texts share theirs, and so may other calls.
    pub texts: Vec<Arc<EncodedText>>,
    /// Tokens of all texts together, special tokens included.
    pub tokens: usize,
    /// How long the call was in the queue before its first text left it; zero if none had to enter it.
    pub waited: Duration,
}

impl Embedded {
    /// Floats of all vectors together.
    pub fn floats(&self) -> usize {
        self.texts.iter().map(|text| text.floats()).sum()
    }

    /// The outputs of each text; they are copied only if others share them.
    pub fn into_encoded(self) -> impl Iterator<Item = Encoded> {
        let texts = self.texts.into_iter();
        texts.map(|text| match Arc::try_unwrap(text) {
            Ok(text) => text.encoded,
            Err(shared) => shared.encoded.clone(),
        })
    }

    /// The dense vectors of a call that asked for them.
    pub fn into_dense(self) -> Vec<Embedding> {
        let dense = self.into_encoded().map(|encoded| encoded.dense);
        dense.map(Option::unwrap_or_default).collect()
    }
}

/// A handle on the engine; clones share it. The engine stops with its last handle.
#[derive(Clone)]
pub struct Engine {
    pipeline: Arc<Pipeline>,
    /// Absent if it is switched off.
    cache: Option<Arc<QueryCache>>,
}

impl Engine {
    /// Starts the thread that owns `encoder`.
    pub fn spawn<E: Encode>(
        encoder: E,
        tokenizer: Arc<Tokenizer>,
        settings: &config::Engine,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(
            settings.queue_texts.get(),
            encoder.layout(),
            settings.batch_tokens.get(),
        ));
        let metrics = metrics::Engine::default();
        let cache = NonZeroUsize::new(settings.cache_bytes)
            .map(|limit| Arc::new(QueryCache::new(limit, metrics.query_cache().clone())));
        Builder::new().name(THREAD_NAME.to_owned()).spawn({
            let (queue, metrics) = (Arc::clone(&queue), metrics.clone());
            move || encoder_thread::run(encoder, &queue, &metrics)
        })?;
        Ok(Self {
            pipeline: Arc::new(Pipeline::new(queue, tokenizer, metrics)),
            cache,
        })
    }

    /// Returns the outputs of a task's texts, in their order; equal texts are computed once. A call is admitted or rejected at
    /// once, and one in the background waits for room. What the queue can hold enters it as a whole; a larger call enters in
    /// pieces. `call` learns when the first text starts. Cancelling `call`, or dropping the future, removes the texts that have
    /// not started, unless another call waits for them too.
    ///
    /// Urgent texts come from the cache of queries, if they are there or are computed now, and only the others need room.
    pub async fn embed(
        &self,
        task: impl Into<Task>,
        priority: Priority,
        call: Call,
    ) -> Result<Embedded, Error> {
        let task = task.into();
        let context = CallContext {
            outputs: task.outputs,
            most_tokens: task.most_tokens,
            priority,
            arrival: Instant::now(),
            call,
        };
        let distinct = DistinctTexts::of(task.texts).await?;
        let texts = match &self.cache {
            Some(cache) if priority.is_urgent() => {
                self.embed_queries(cache, &distinct.texts, &context).await?
            }
            _ => self.pipeline.encode(&distinct.texts, &context).await?,
        };
        let texts = distinct.in_every_place(texts);
        let tokens = texts.iter().map(|text| text.tokens).sum();
        if tokens > task.most_tokens {
            return Err(Error::TooManyTokens { tokens });
        }
        let waited = context.call.started().map(|start| {
            let waited = start.saturating_duration_since(context.arrival);
            self.pipeline.metrics().waited(waited);
            waited
        });
        Ok(Embedded {
            texts,
            tokens,
            waited: waited.unwrap_or_default(),
        })
    }

    /// The outputs of texts that differ from each other: kept, computed for another call as well, or computed now.
    async fn embed_queries(
        &self,
        cache: &Arc<QueryCache>,
        texts: &CountedTexts,
        context: &CallContext,
    ) -> Result<Vec<Arc<EncodedText>>, Error> {
        let mut found: Vec<Option<Arc<EncodedText>>> = vec![None; texts.texts.len()];
        loop {
            let missing: Vec<usize> = (0..found.len())
                .filter(|&place| found[place].is_none())
                .collect();
            if missing.is_empty() {
                return Ok(found.into_iter().flatten().collect());
            }
            // The error of another call's computation says nothing about this call: what it did not give is looked up again.
            let outcome = self.look_up(cache, texts.at(&missing), context).await?;
            for (place, text) in missing.into_iter().zip(outcome) {
                found[place] = text;
            }
        }
    }

    /// What the cache, other calls' computations and one of its own give a call; nothing where another call's has failed.
    async fn look_up(
        &self,
        cache: &Arc<QueryCache>,
        texts: CountedTexts,
        context: &CallContext,
    ) -> Result<Vec<Option<Arc<EncodedText>>>, Error> {
        if context.call.is_cancelled() {
            return Err(Error::Stopped);
        }
        let queries = texts.texts.iter().map(|text| Query {
            text: text.clone(),
            outputs: context.outputs,
        });
        let plan = cache.plan(
            queries.collect(),
            context.priority,
            &context.call,
            |places, calls, registration| {
                let context = CallContext {
                    call: calls,
                    ..context.clone()
                };
                self.begin(texts.at(&places), context, registration)
            },
        );
        plan.outcome().await
    }

    /// A computation whose outputs are kept.
    fn begin(
        &self,
        texts: CountedTexts,
        context: CallContext,
        registration: Registration,
    ) -> BoxFuture<'static, Computed> {
        let pipeline = Arc::clone(&self.pipeline);
        async move {
            let texts = pipeline.encode(&texts, &context).await?;
            registration.keep(&texts);
            Ok(texts.into())
        }
        .boxed()
    }

    /// Keeps the vectors of a text as a caller has written them, as long as the outputs themselves are kept. Returns those of
    /// the first caller.
    pub fn keep_written<'a>(
        &self,
        text: &str,
        outputs: Outputs,
        encoded: &'a Arc<EncodedText>,
        form: usize,
        written: WrittenVectors,
    ) -> &'a WrittenVectors {
        let written = encoded.keep_written(form, written);
        if let Some(cache) = &self.cache {
            let text = text.to_owned();
            cache.recount(&Query { text, outputs }, encoded);
        }
        written
    }

    /// What the engine is doing.
    pub fn status(&self) -> EngineStatus {
        self.pipeline.queue().status()
    }

    /// How long everything that is admitted is likely to take; whole seconds, at least one.
    pub fn retry_after(&self) -> Duration {
        self.pipeline.queue().retry_after(Priority::Bulk)
    }

    /// What has been measured, with what the engine is doing now.
    pub fn metrics(&self) -> &metrics::Engine {
        let status = self.status();
        let metrics = self.pipeline.metrics();
        metrics.set_load(
            status.queued_texts,
            status.queued_calls,
            status.running_texts,
        );
        if let Some(cache) = &self.cache {
            let (texts, bytes) = cache.size();
            metrics.query_cache().set_size(texts, bytes);
        }
        metrics
    }
}
