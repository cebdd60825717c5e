//! Jobs over HTTP, as an application sends them.
//!
//! Owns the connections, which stay open between jobs. Invariant: a response is a success only if it contains a vector for
//! every text.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use super::texts::Text;

/// Longest time for one job: a text of 8,192 tokens takes a minute on two slow cores.
pub const JOB_TIMEOUT: Duration = Duration::from_secs(600);

/// A job whose body is already serialized, so that this is not measured.
#[derive(Debug, Clone)]
pub struct Job {
    body: String,
    /// Number of its texts.
    pub texts: usize,
    /// Number of tokens of all its texts.
    pub tokens: usize,
}

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The server cannot be reached, or the connection broke.
    #[error("the request failed")]
    Transport(#[from] reqwest::Error),
    /// The server rejected the request.
    #[error("the server responded with {status}: {body}")]
    Status {
        /// The response's status.
        status: StatusCode,
        /// The response's body.
        body: String,
    },
    /// The job was accepted, but failed.
    #[error("the job failed: {0}")]
    Failed(String),
    /// The response is not the JSON of a job.
    #[error("the response is not a job")]
    Json(#[from] serde_json::Error),
    /// The response has the wrong number of vectors.
    #[error("{found} vectors for {texts} texts")]
    Vectors {
        /// Vectors in the response.
        found: usize,
        /// Texts in the job.
        texts: usize,
    },
}

#[derive(Deserialize)]
struct Response {
    output: Option<Output>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Output {
    embedding: Option<Vec<f32>>,
    embeddings: Option<Vec<Vec<f32>>>,
}

/// The server's model, as it describes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ServedModel {
    /// Its name.
    pub name: String,
    /// Precision of its weights.
    pub precision: String,
    /// Floats in a vector.
    pub dimensions: usize,
    /// Longest text, in tokens.
    pub max_tokens: Option<usize>,
}

/// A client of one server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Job {
    /// One query.
    pub fn query(text: &Text) -> Self {
        Self::new(json!({"input": {"query": text.content}}), 1, text.tokens)
    }

    /// Whether the model answers, which costs nothing but the request.
    pub fn health_check() -> Self {
        Self::new(json!({"input": {"action": "health_check"}}), 0, 0)
    }

    /// A list of texts.
    pub fn batch(texts: &[Text]) -> Self {
        let contents: Vec<&str> = texts.iter().map(|text| text.content.as_str()).collect();
        let tokens = texts.iter().map(|text| text.tokens).sum();
        let body = json!({"input": {"action": "embed_batch", "texts": contents}});
        Self::new(body, texts.len(), tokens)
    }

    fn new(body: Value, texts: usize, tokens: usize) -> Self {
        Self {
            body: body.to_string(),
            texts,
            tokens,
        }
    }
}

impl Client {
    /// A client of the server at `base`, such as `http://127.0.0.1:8000`.
    pub fn new(base: &str) -> Result<Self, reqwest::Error> {
        let mut builder = reqwest::Client::builder().timeout(JOB_TIMEOUT);
        if is_local(base) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build()?,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// The status of the server's readiness probe.
    pub async fn probe(&self) -> Result<StatusCode, RequestError> {
        let url = format!("{}/ping", self.base);
        Ok(self.http.get(url).send().await?.status())
    }

    /// The server's model; `None` if it does not describe it.
    pub async fn served_model(&self) -> Option<ServedModel> {
        #[derive(Deserialize)]
        struct Health {
            model: Option<ServedModel>,
        }
        let url = format!("{}/health", self.base);
        let body = self.http.get(url).send().await.ok()?.bytes().await.ok()?;
        serde_json::from_slice::<Health>(&body).ok()?.model
    }

    /// Sends a job; returns the time from the start of the request to the end of the response.
    pub async fn run(&self, job: &Job) -> Result<Duration, RequestError> {
        let request = self
            .http
            .post(format!("{}/runsync", self.base))
            .header(CONTENT_TYPE, "application/json")
            .body(job.body.clone());
        let begin = Instant::now();
        let response = request.send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        let elapsed = begin.elapsed();
        if status != StatusCode::OK {
            let body = String::from_utf8_lossy(&body).into_owned();
            return Err(RequestError::Status { status, body });
        }
        check(&body, job.texts)?;
        Ok(elapsed)
    }
}

/// Whether the server at `base` runs on this machine.
pub fn is_local(base: &str) -> bool {
    let url = reqwest::Url::parse(base).ok();
    let host = url.as_ref().and_then(|url| url.host_str());
    host.is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."))
}

fn check(body: &[u8], texts: usize) -> Result<(), RequestError> {
    let response: Response = serde_json::from_slice(body)?;
    if let Some(error) = response.error {
        return Err(RequestError::Failed(error));
    }
    let found = response.output.map_or(0, |output| {
        let one = output.embedding.into_iter();
        let all = one.chain(output.embeddings.into_iter().flatten());
        all.filter(|vector| !vector.is_empty()).count()
    });
    if found == texts {
        Ok(())
    } else {
        Err(RequestError::Vectors { found, texts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_response_with_all_vectors_is_a_success() {
        for (body, texts, words) in [
            (
                r#"{"status":"COMPLETED","output":{"embedding":[0.5]}}"#,
                1,
                "",
            ),
            (r#"{"output":{"embeddings":[[0.5],[1]]}}"#, 2, ""),
            (
                r#"{"output":{"embeddings":[[0.5],[]]}}"#,
                2,
                "1 vectors for 2 texts",
            ),
            (
                r#"{"status":"FAILED","error":"invalid: query"}"#,
                1,
                "invalid: query",
            ),
            (r#"{"status":"IN_PROGRESS"}"#, 1, "0 vectors"),
            ("<html>", 1, "not a job"),
        ] {
            let error = check(body.as_bytes(), texts).err();
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(error.is_empty(), words.is_empty(), "{body}: {error}");
            assert!(error.contains(words), "{body}: {error}");
        }
    }

    #[test]
    fn a_local_url_is_one_of_the_loopback_address() {
        for (base, local) in [
            ("http://127.0.0.1:8000", true),
            ("http://localhost/", true),
            ("http://[::1]:80", true),
            ("https://example.org/v2/abc", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(is_local(base), local, "{base}");
        }
    }
}
