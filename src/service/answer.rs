//! Answers requests: the three actions and the OpenAI routes.

use std::time::{Duration, UNIX_EPOCH};

use super::openai::{Embeddings, EmbeddingsRequest, JobError, Model, ModelList, OpenAiRequest};
use super::{EncodingFormat, Error, Output, Parsed, Performed, Request, Service, Texts};
use crate::engine::{Call, Embedded, Priority};

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
            Request::Query(query) => {
                let embedded = self.embed_list(query, priority, call).await?;
                let waited = embedded.waited;
                let embedding = embedded.embeddings.into_iter().next().unwrap_or_default();
                self.performed(&Output::Embedding { embedding }, 1, waited)
            }
            Request::Queries(texts) | Request::Texts(texts) => {
                self.list(self.embed_list(texts, priority, call).await?)
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

    async fn embed_list(
        &self,
        texts: &Texts,
        priority: Priority,
        call: Call,
    ) -> Result<Embedded, Error> {
        self.embed(texts, priority, EncodingFormat::Float, call)
            .await
    }

    fn list(&self, embedded: Embedded) -> Result<Performed, Error> {
        let Embedded {
            embeddings, waited, ..
        } = embedded;
        let texts = embeddings.len();
        self.performed(&Output::Embeddings { embeddings }, texts, waited)
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
        let (texts, format) = (&request.texts, request.encoding_format);
        let embedded = self.embed(texts, priority, format, call).await?;
        let waited = embedded.waited;
        let output = Embeddings::new(model, embedded, format);
        self.performed(&output, texts.len(), waited)
    }
}
