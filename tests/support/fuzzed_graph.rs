//! A model directory that gets any bytes as its graph, for the fuzz target of graphs and for the test of its corpus.

use std::fs::File;
use std::num::NonZeroUsize;

use model::{DESCRIPTION_FILE, GRAPH_FILE, TOKENIZER_FILE};
use model::{
    Encoded, Encoder, Environment, Error, GraphError, ModelDirectory, Precision, Text, Tokenizer,
    Tokens,
};
use prost::Message;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::graph::onnx::{Model, OperatorSet};

/// Dimensions of the graphs with which the corpus began, and more than a graph can have.
const DIMENSIONS: [usize; 2] = [8, i32::MAX as usize];
const POOLINGS: [&str; 2] = ["cls", "mean"];
/// Their longest text, and their words.
const MAX_TOKENS: NonZeroUsize = NonZeroUsize::new(8).unwrap();
const WORDS: usize = 12;
const TEXTS: [&str; 3] = ["w5", "w1 w11 w0", "w2 w2 w3 w4 w6 w7 w8 w9 w10"];
/// Largest file of weights that is made. It is sparse.
const MOST_WEIGHTS: u64 = 1 << 30;
const DOMAIN: &str = "runpod.query";

/// The directory.
pub struct FuzzedGraph {
    directory: TempDir,
    environment: Environment,
    texts: Vec<Tokens>,
}

impl FuzzedGraph {
    pub fn new(environment: Environment) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let vocabulary: serde_json::Map<_, _> =
            (0..WORDS).map(|id| (format!("w{id}"), json!(id))).collect();
        let tokenizer = json!({
            "version": "1.0",
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "w0"},
        });
        let tokenizer = tokenizer.to_string();
        std::fs::write(directory.path().join(TOKENIZER_FILE), &tokenizer).unwrap();
        let tokenizer = Tokenizer::from_bytes(tokenizer.as_bytes(), MAX_TOKENS).unwrap();
        let texts = TEXTS.map(|text| tokenizer.tokenize(text).unwrap());
        Self {
            directory,
            environment,
            texts: texts.into(),
        }
    }

    /// Loads a graph of our own and runs it. The result is an error, or vectors that do not depend on their batch; no
    /// operator panics. Graphs that only ONNX Runtime reads are not tried. Whether there are vectors.
    pub fn run(&self, graph: &[u8]) -> bool {
        let is_own = |opset: &OperatorSet| opset.domain == DOMAIN;
        if !Model::decode(graph).is_ok_and(|model| model.opset_import.iter().any(is_own)) {
            return false;
        }
        std::fs::write(self.directory.path().join(GRAPH_FILE), graph).unwrap();
        let mut descriptions = DIMENSIONS.into_iter().flat_map(|dimensions| {
            let kinds = POOLINGS
                .into_iter()
                .flat_map(|pooling| Precision::ALL.map(|precision| (pooling, precision)));
            let kinds = kinds.flat_map(|(pooling, precision)| {
                [false, true].map(|has_heads| (pooling, precision, has_heads))
            });
            kinds.map(move |kind| description(dimensions, kind))
        });
        descriptions.any(|description| self.run_as(&description))
    }

    /// Loads the graph as that of a model of this description and runs it.
    fn run_as(&self, description: &Value) -> bool {
        let path = self.directory.path().join(DESCRIPTION_FILE);
        std::fs::write(path, description.to_string()).unwrap();
        let mut encoder = match self.load() {
            Ok(encoder) => encoder,
            Err(error) => {
                check(&error);
                return false;
            }
        };
        let outputs = encoder.outputs();
        let batch = self.texts.iter().map(|tokens| Text { tokens, outputs });
        let batch: Vec<Text<'_>> = batch.collect();
        let together = encode(&mut encoder, &batch);
        let alone = batch.chunks(1).map(|text| encode(&mut encoder, text));
        let alone: Result<Vec<_>, _> = alone.collect();
        let alone = alone.map(|encoded| encoded.concat());
        match (together, alone) {
            (Ok(together), Ok(alone)) => {
                assert_eq!(together, alone);
                true
            }
            (Err(error), _) | (_, Err(error)) => {
                check(&error);
                false
            }
        }
    }

    /// Loads the graph with a file of weights of the length that it needs.
    fn load(&self) -> Result<Encoder, Error> {
        let weights = File::create(self.directory.path().join("model.onnx.data")).unwrap();
        let directory = ModelDirectory::open(self.directory.path())?;
        let load = || Encoder::load(&self.environment, &directory, NonZeroUsize::MIN);
        match load() {
            Err(Error::Graph {
                source: GraphError::WeightsLength { expected, .. },
                ..
            }) if expected <= MOST_WEIGHTS => {
                weights.set_len(expected).unwrap();
                load()
            }
            other => other,
        }
    }
}

/// What the texts become, or the first error.
fn encode(encoder: &mut Encoder, batch: &[Text<'_>]) -> Result<Vec<Encoded>, Error> {
    encoder.encode_each(batch)?.into_iter().collect()
}

fn description(
    dimensions: usize,
    (pooling, precision, has_heads): (&str, Precision, bool),
) -> Value {
    let heads = json!({"sparse": true, "colbert": dimensions, "tokens_without_weight": []});
    json!({
        "heads": has_heads.then_some(heads),
        "name": "fuzzed",
        "revision": null,
        "dimensions": dimensions,
        "max_tokens": MAX_TOKENS,
        "pooling": pooling,
        "precision": precision,
        "source_sha256": null,
    })
}

/// Fails if an operator has panicked.
fn check(error: &Error) {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| {
        error.source()
    });
    for cause in causes {
        assert!(!cause.to_string().contains("panicked"), "{cause}");
    }
}
