//! Sparse weights and ColBERT vectors against FlagEmbedding's on PyTorch.

use std::collections::BTreeMap;

use model::{ColbertEmbedding, Encoded, Output, Outputs, Precision, SparseEmbedding, Text, Tokens};
use ndarray::Array2;
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::support::golden::{cosine, path};
use crate::support::models::{Model, checkpoint};

/// The checkpoint with heads.
const MODEL: &str = "tiny-xlm-roberta";
/// Largest difference of a sparse weight and of a score from FlagEmbedding's.
const LARGEST_DIFFERENCE: f32 = 1e-5;
const SMALLEST_COSINE: f64 = 0.999_999;

#[derive(Deserialize)]
struct Golden {
    records: Vec<Record>,
}

/// A text, its outputs, and its scores with the next text; the last text's with the first.
#[derive(Deserialize)]
struct Record {
    text: String,
    token_ids: Vec<u32>,
    sparse: BTreeMap<u32, f32>,
    lexical_score: f32,
    colbert_score: f32,
}

fn golden() -> Vec<Record> {
    let json = std::fs::read(path("golden/heads.json")).unwrap();
    serde_json::from_slice::<Golden>(&json).unwrap().records
}

/// The ColBERT vectors of every golden text.
fn golden_colbert() -> Vec<ColbertEmbedding> {
    let bytes = std::fs::read(path("golden/heads.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let (colbert, rows) = (
        tensors.tensor("colbert").unwrap(),
        tensors.tensor("rows").unwrap(),
    );
    let floats: Vec<f32> = colbert
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    let size = colbert.shape()[1];
    let mut rest = floats.as_slice();
    let rows = rows
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|bytes| i64::from_le_bytes(*bytes) as usize);
    rows.map(|rows| {
        let (own, after) = rest.split_at(rows * size);
        rest = after;
        Array2::from_shape_vec((rows, size), own.to_vec()).unwrap()
    })
    .collect()
}

fn all() -> Outputs {
    Output::ALL.into_iter().collect()
}

/// What each text becomes alone.
fn alone(model: &mut Model, texts: &[Tokens], outputs: Outputs) -> Vec<Encoded> {
    let encode = |tokens| together(model, &[(tokens, outputs)]).remove(0);
    texts.iter().map(encode).collect()
}

fn together(model: &mut Model, texts: &[(&Tokens, Outputs)]) -> Vec<Encoded> {
    let text = |&(tokens, outputs)| Text { tokens, outputs };
    let batch: Vec<Text<'_>> = texts.iter().map(text).collect();
    let encoded = model.encoder.encode_each(&batch).unwrap();
    encoded.into_iter().map(Result::unwrap).collect()
}

fn tokenize(model: &Model, records: &[Record]) -> Vec<Tokens> {
    let tokens = |record: &Record| model.tokenizer.tokenize(&record.text).unwrap();
    records.iter().map(tokens).collect()
}

fn model_with_heads(precision: Precision) -> (Model, Vec<Record>, Vec<Tokens>) {
    let model = Model::export_in(&checkpoint(MODEL), MODEL, precision);
    let records = golden();
    let tokens = tokenize(&model, &records);
    (model, records, tokens)
}

#[test]
fn sparse_weights_equal_those_of_flag_embedding() {
    let (mut model, records, tokens) = model_with_heads(Precision::Fp32);
    let sparse = [Output::Sparse].into_iter().collect();
    for (record, encoded) in records.iter().zip(alone(&mut model, &tokens, sparse)) {
        let text = &record.text;
        assert!(encoded.dense.is_none() && encoded.colbert.is_none());
        let SparseEmbedding { indices, values } = encoded.sparse.unwrap();
        assert!(indices.iter().eq(record.sparse.keys()), "{text}");
        for (found, expected) in values.iter().zip(record.sparse.values()) {
            assert!(
                (found - expected).abs() <= LARGEST_DIFFERENCE,
                "{text}: {found} {expected}"
            );
        }
    }
}

#[test]
fn colbert_vectors_equal_those_of_flag_embedding() {
    let (mut model, records, tokens) = model_with_heads(Precision::Fp32);
    let colbert = [Output::Colbert].into_iter().collect();
    let encoded = alone(&mut model, &tokens, colbert);
    for ((record, expected), encoded) in records.iter().zip(golden_colbert()).zip(encoded) {
        let found = encoded.colbert.unwrap();
        assert_eq!(found.dim(), expected.dim(), "{}", record.text);
        for (found, expected) in found.rows().into_iter().zip(expected.rows()) {
            let cosine = cosine(&found.to_vec(), &expected.to_vec());
            assert!(cosine >= SMALLEST_COSINE, "{}: {cosine}", record.text);
        }
    }
}

#[test]
fn scores_equal_those_of_flag_embedding() {
    let (mut model, records, tokens) = model_with_heads(Precision::Fp32);
    let encoded = alone(&mut model, &tokens, all());
    let next = encoded.iter().cycle().skip(1);
    for ((record, own), next) in records.iter().zip(&encoded).zip(next) {
        let lexical = own
            .sparse
            .as_ref()
            .unwrap()
            .score(next.sparse.as_ref().unwrap());
        let (query, passage) = (
            own.colbert.as_ref().unwrap(),
            next.colbert.as_ref().unwrap(),
        );
        let colbert = model::colbert_score(query, passage);
        for (found, expected) in [
            (lexical, record.lexical_score),
            (colbert, record.colbert_score),
        ] {
            // Lexical scores of long texts are larger than 1.
            let tolerance = LARGEST_DIFFERENCE * expected.abs().max(1.0);
            assert!(
                (found - expected).abs() <= tolerance,
                "{}: {found} {expected}",
                record.text
            );
        }
    }
}

#[test]
fn tokens_equal_those_of_flag_embedding() {
    let (_, records, tokens) = model_with_heads(Precision::Fp32);
    for (record, tokens) in records.iter().zip(tokens) {
        assert_eq!(tokens.ids(), record.token_ids, "{}", record.text);
    }
}

/// Every text once with each set of outputs, in one batch and alone.
fn outputs_do_not_depend_on_the_batch(precision: Precision) {
    let (mut model, _, tokens) = model_with_heads(precision);
    let sets: Vec<Outputs> = (1..8_usize)
        .map(|set| {
            Output::ALL
                .into_iter()
                .filter(|output| set >> *output as usize & 1 == 1)
                .collect()
        })
        .collect();
    let texts = tokens.iter().zip(sets.iter().copied().cycle());
    let texts: Vec<_> = texts.take(4 * sets.len()).collect();
    let expected: Vec<Encoded> = texts
        .iter()
        .flat_map(|text| together(&mut model, std::slice::from_ref(text)))
        .collect();
    assert_eq!(together(&mut model, &texts), expected);
    // Nor on what else is asked for.
    let everything = alone(&mut model, &tokens[..texts.len()], all());
    for ((expected, found), (_, outputs)) in everything.into_iter().zip(expected).zip(texts) {
        let asked = |output| outputs.has(output);
        let expected = Encoded {
            dense: expected.dense.filter(|_| asked(Output::Dense)),
            sparse: expected.sparse.filter(|_| asked(Output::Sparse)),
            colbert: expected.colbert.filter(|_| asked(Output::Colbert)),
        };
        assert_eq!(found, expected);
    }
}

#[test]
fn outputs_do_not_depend_on_the_batch_in_fp16() {
    outputs_do_not_depend_on_the_batch(Precision::Fp16);
}

#[test]
fn outputs_do_not_depend_on_the_batch_in_fp32() {
    outputs_do_not_depend_on_the_batch(Precision::Fp32);
}

#[test]
fn outputs_do_not_depend_on_the_batch_in_int8() {
    outputs_do_not_depend_on_the_batch(Precision::Int8);
}
