//! Answers requests: the three actions and the OpenAI routes.

use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;
use serde_json::value::to_raw_value;
use tokio::task::spawn_blocking;

use super::openai::{Embeddings, EmbeddingsRequest, JobError, Model, ModelList, OpenAiRequest};
use super::output::{ListOutput, QueryOutput};
use super::vector::{self, Vector, Writable};
use super::{EmbedRequest, Error, Output, Parsed, Performed, Request, Service};
use crate::engine::{Call, Embedded, EncodedText, Priority, WrittenVectors};

/// Floats of a large answer: writing them takes about a millisecond.
const LARGE_FLOATS: usize = 16 * 1024;

impl Service {
    /// Answers a request, however long that takes, and counts it. `call` learns when it starts, and can cancel it.
    pub async fn perform(&self, request: &Parsed, call: Call) -> Result<Performed, Error> {
        let answer = async {
            match request {
                Ok(request) => self.answer(request, call).await,
                Err(error) => Err(error.clone()),
            }
        };
        match (request, self.account(answer).await) {
            // A client of OpenAI's reads its error in the output of a completed job.
            (Ok(Request::OpenAiInJob(_)), Err(error)) => match JobError::of(&error) {
                Some(output) => self.performed(&output, 0, Duration::ZERO),
                None => Err(error),
            },
            (_, outcome) => outcome,
        }
    }

    async fn answer(&self, request: &Request, call: Call) -> Result<Performed, Error> {
        let priority = request.priority(&call);
        match request {
            Request::Query(request) => {
                let format = request.encoding_format;
                let embedded = self.embed(request, priority, call).await?;
                if let Some((text, written)) = self.written_once(request, &embedded)? {
                    let output = Output::Query(QueryOutput::of_written(text, written));
                    return self.performed(&output, 1, embedded.waited);
                }
                self.written(embedded, move |embedded| {
                    let encoded = embedded.into_encoded().next().unwrap_or_default();
                    Output::Query(QueryOutput::new(encoded, format))
                })
                .await
            }
            Request::Queries(request) | Request::Texts(request) => {
                let format = request.encoding_format;
                let embedded = self.embed(request, priority, call).await?;
                self.written(embedded, move |embedded| {
                    Output::List(ListOutput::new(embedded.into_encoded(), format))
                })
                .await
            }
            Request::HealthCheck => {
                self.model()?;
                self.performed(&Output::HEALTHY, 0, Duration::ZERO)
            }
            Request::OpenAi(request) | Request::OpenAiInJob(Ok(request)) => {
                self.answer_openai(request, priority, call).await
            }
            Request::OpenAiInJob(Err(error)) => Err(error.clone()),
        }
    }

    async fn answer_openai(
        &self,
        request: &OpenAiRequest,
        priority: Priority,
        call: Call,
    ) -> Result<Performed, Error> {
        match request {
            OpenAiRequest::Embeddings(request) => {
                self.openai_embeddings(request, priority, call).await
            }
            OpenAiRequest::Models => {
                let list = ModelList::new(self.openai_model()?);
                self.performed(&list, 0, Duration::ZERO)
            }
            OpenAiRequest::Model(name) => {
                name.check(self.model()?)?;
                self.performed(&self.openai_model()?, 0, Duration::ZERO)
            }
        }
    }

    fn openai_model(&self) -> Result<Model, Error> {
        let since = self
            .loaded_at()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Ok(Model::new(
            self.model()?,
            since.unwrap_or_default().as_secs(),
        ))
    }

    async fn openai_embeddings(
        &self,
        request: &EmbeddingsRequest,
        priority: Priority,
        call: Call,
    ) -> Result<Performed, Error> {
        let model = self.model()?;
        request.check(model)?;
        let (name, format) = (
            model.public_name().to_owned(),
            request.embed.encoding_format,
        );
        let embedded = self.embed(&request.embed, priority, call).await?;
        if let Some((text, written)) = self.written_once(&request.embed, &embedded)? {
            let vector = written.dense.clone().map(Writable::Written);
            let output = Embeddings::new(name, vector.into_iter(), text.tokens);
            return self.performed(&output, 1, embedded.waited);
        }
        self.written(embedded, move |embedded| {
            let tokens = embedded.tokens;
            let vectors = embedded.into_dense().into_iter();
            let vectors = vectors.map(|vector| Vector::new(vector, format));
            Embeddings::new(name, vectors, tokens)
        })
        .await
    }

    /// The outputs of a request for one text, with its vectors as the first such request has written them. Nothing for a list,
    /// and for many floats, whose JSON is not worth its memory.
    fn written_once<'a>(
        &self,
        request: &EmbedRequest,
        embedded: &'a Embedded,
    ) -> Result<Option<(&'a EncodedText, &'a WrittenVectors)>, Error> {
        let ([text], [encoded]) = (&request.texts[..], &embedded.texts[..]) else {
            return Ok(None);
        };
        if embedded.floats() > LARGE_FLOATS {
            return Ok(None);
        }
        let format = request.encoding_format;
        let form = format as usize;
        let written = match encoded.written(form) {
            Some(written) => written,
            None => {
                let written = vector::write(&encoded.encoded, format).map_err(Error::internal)?;
                let engine = &self.loaded()?.engine;
                engine.keep_written(text, request.outputs, encoded, form, written)
            }
        };
        Ok(Some((encoded, written)))
    }

    /// The answer with these outputs. A large one is written on another thread, so that it holds up no other answer.
    async fn written<T: Serialize>(
        &self,
        embedded: Embedded,
        output: impl FnOnce(Embedded) -> T + Send + 'static,
    ) -> Result<Performed, Error> {
        let (texts, waited) = (embedded.texts.len(), embedded.waited);
        let is_large = embedded.floats() > LARGE_FLOATS;
        let write = move || to_raw_value(&output(embedded)).map_err(Error::internal);
        let output = if is_large {
            spawn_blocking(write).await.map_err(Error::internal)??
        } else {
            write()?
        };
        self.within_limit(output, texts, waited)
    }
}
