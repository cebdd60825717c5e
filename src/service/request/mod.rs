//! From an input to a request that cannot be wrong: all checks that need no model are here.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::fields::Fields;
use super::json::{Value, quote};
use super::openai::{EmbeddingsRequest, OpenAiRequest};
use super::texts::{Texts, one_text, texts};
use super::{Action, EncodingFormat, Error, Invalid, Malformed};
use crate::engine::is_query;
use model::Output;

mod embed_request;

pub use embed_request::EmbedRequest;

/// How envelopes and errors call the input.
pub const INPUT: &str = "input";

const ACTION: &str = "action";
const QUERY: &str = "query";
const QUERIES: &str = "queries";
const TEXTS: &str = "texts";
const OUTPUTS: &str = "outputs";
const OPENAI_ROUTE: &str = "openai_route";
const OPENAI_INPUT: &str = "openai_input";

/// Members of a list that are kept whatever the limit of texts: all outputs, and the one more that repeats one of them.
const LEAST_MEMBERS: usize = Output::ALL.len() + 1;

/// The fields that hold texts, and the one action that has each.
const TEXT_FIELDS: [(&str, Action); 3] = [
    (QUERY, Action::EmbedQuery),
    (QUERIES, Action::EmbedQuery),
    (TEXTS, Action::EmbedBatch),
];

/// What is asked for. A field that is `null` counts as absent, and fields that are not listed here are ignored.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(example = json!({"query": "What is machine learning?"}))]
pub struct Input {
    /// What to do; `embed_query` unless given.
    pub action: Option<Action>,
    /// For `embed_query`: one text. The answer has `embedding`.
    #[schema(example = "What is machine learning?")]
    pub query: Option<String>,
    /// For `embed_query`, instead of `query`: a list of texts. The answer has `embeddings`, in the same order.
    #[schema(min_items = 1)]
    pub queries: Option<Vec<String>>,
    /// For `embed_batch`: a list of texts. The answer has `embeddings`, in the same order.
    #[schema(min_items = 1)]
    pub texts: Option<Vec<String>>,
    /// For the embedding actions: what each text is turned into, `dense` unless given. `GET /health` says what the model gives.
    #[schema(min_items = 1, value_type = Option<Vec<OutputName>>)]
    pub outputs: Option<Vec<OutputName>>,
    /// For the embedding actions: how vectors are written, `float` unless given. Sparse weights are always lists.
    pub encoding_format: Option<EncodingFormat>,
}

/// What a text is turned into.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputName {
    /// One vector: `embedding`.
    Dense,
    /// A weight for each token that the text contains: `sparse_embedding`.
    Sparse,
    /// A vector for each token but the first: `colbert_embedding`.
    Colbert,
}

/// An input once it is parsed: a request, or what is wrong with it.
pub type Parsed = Result<Request, Error>;

/// A valid request: no list is empty or too long, no text is blank.
#[derive(Debug)]
pub enum Request {
    /// One query.
    Query(EmbedRequest),
    /// A list of queries.
    Queries(EmbedRequest),
    /// A list of texts.
    Texts(EmbedRequest),
    /// Whether the model answers.
    HealthCheck,
    /// A request in OpenAI's form.
    OpenAi(OpenAiRequest),
    /// The same inside a job, passed on or as RunPod's own embedding worker takes it: errors of the caller are part of the
    /// answer's form.
    OpenAiInJob(Result<OpenAiRequest, Error>),
}

impl Request {
    /// Parses an input; a list may hold `limit` texts. Fields that no action has are ignored, and `null` counts as
    /// absent.
    pub fn parse(input: &RawValue, limit: usize) -> Parsed {
        let members = limit.max(LEAST_MEMBERS);
        let value = match Value::read(input, members).map_err(Malformed::json(INPUT)) {
            Ok(value) => value,
            Err(error) if names_openai_route(input) => {
                return Ok(Self::OpenAiInJob(Err(error.into())));
            }
            Err(error) => return Err(error.into()),
        };
        let fields = Fields::of(value, INPUT)?;
        Parser { fields, limit }.request()
    }

    /// Whether it is one short text, and at most what a query costs.
    pub fn is_query(&self) -> bool {
        self.texts().is_none_or(|texts| is_query(texts))
    }

    /// Bytes that the request keeps in memory.
    pub fn bytes(&self) -> usize {
        let texts = self.texts().map_or(&[][..], |texts| texts);
        texts
            .iter()
            .map(|text| size_of::<String>() + text.len())
            .sum()
    }

    pub(super) fn texts(&self) -> Option<&Texts> {
        match self {
            Self::Query(request) | Self::Queries(request) | Self::Texts(request) => {
                Some(&request.texts)
            }
            Self::OpenAi(request) | Self::OpenAiInJob(Ok(request)) => request.texts(),
            Self::HealthCheck | Self::OpenAiInJob(Err(_)) => None,
        }
    }
}

/// Whether an input that is not valid JSON throughout is nevertheless meant for a route of OpenAI's.
fn names_openai_route(input: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Fields {
        openai_route: Option<String>,
    }
    let route = serde_json::from_str(input.get()).map(|fields: Fields| fields.openai_route);
    route.is_ok_and(|route| route.is_some_and(|route| !route.is_empty()))
}

/// The fields of an input, and the texts that a list may hold.
struct Parser {
    fields: Fields,
    limit: usize,
}

impl Parser {
    fn request(mut self) -> Parsed {
        if let Some(Value::String(route)) = self.fields.take(OPENAI_ROUTE)
            && !route.is_empty()
        {
            let body = self.fields.take(OPENAI_INPUT);
            let request = OpenAiRequest::on_route(&route, OPENAI_INPUT, body, self.limit);
            return Ok(Request::OpenAiInJob(request));
        }
        if self.fields.has(INPUT) {
            return self.embedding_worker_input();
        }
        let action = self.action()?;
        self.refuse_foreign(action)?;
        match action {
            Action::EmbedQuery => self.query(),
            Action::EmbedBatch => {
                let list = self
                    .fields
                    .take(TEXTS)
                    .ok_or(Invalid::Missing { field: TEXTS })?;
                let texts = texts(TEXTS, list, "a list of strings", self.limit)?;
                Ok(Request::Texts(EmbedRequest::of(texts, &mut self.fields)?))
            }
            Action::HealthCheck => Ok(Request::HealthCheck),
        }
    }

    /// The form of RunPod's own embedding worker: the fields of OpenAI's form, directly in the input.
    fn embedding_worker_input(self) -> Parsed {
        let of_actions = [ACTION, OUTPUTS]
            .into_iter()
            .chain(TEXT_FIELDS.map(|(field, _)| field));
        for field in of_actions {
            if self.fields.has(field) {
                return Err(Invalid::InputAnd { field }.into());
            }
        }
        let request = EmbeddingsRequest::from_fields(self.fields, self.limit);
        Ok(Request::OpenAiInJob(request.map(OpenAiRequest::Embeddings)))
    }

    fn query(&mut self) -> Parsed {
        match (self.fields.take(QUERY), self.fields.take(QUERIES)) {
            (Some(_), Some(_)) => Err(Invalid::TwoQueries.into()),
            (None, None) => Err(Invalid::NoQuery.into()),
            (Some(query), None) => {
                let expected = "a string (a list goes into queries)";
                let text = one_text(QUERY, query, expected)?;
                Ok(Request::Query(EmbedRequest::of(text, &mut self.fields)?))
            }
            (None, Some(queries)) => {
                let expected = "a list of strings (one string alone goes into query)";
                let texts = texts(QUERIES, queries, expected, self.limit)?;
                Ok(Request::Queries(EmbedRequest::of(texts, &mut self.fields)?))
            }
        }
    }

    fn action(&mut self) -> Result<Action, Invalid> {
        let Some(name) = self.fields.take_string(ACTION)? else {
            return Ok(Action::default());
        };
        Action::ALL
            .into_iter()
            .find(|action| action.as_str() == name)
            .ok_or_else(|| Invalid::Action {
                given: quote(&name),
            })
    }

    /// A field of another action is a misunderstanding: what it holds would silently not be embedded.
    fn refuse_foreign(&self, action: Action) -> Result<(), Invalid> {
        match TEXT_FIELDS
            .into_iter()
            .find(|(field, owner)| *owner != action && self.fields.has(field))
        {
            Some((field, owner)) => Err(Invalid::Foreign {
                field,
                owner,
                action,
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
