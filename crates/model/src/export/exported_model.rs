//! An exported model, loaded as the server loads it.
//!
//! Owns the batching of many texts: no batch has more than 512 padded tokens, unless it is a single text.

use std::num::NonZeroUsize;
use std::path::Path;

use ort::environment::Environment;

use super::error::Error;
use super::reference::EmbeddingModel;
use crate::description::{Description, ModelDirectory};
use crate::encoder::{Embedding, Encoder};
use crate::tokenizer::{Tokenizer, Tokens};

/// Largest batch, in padded tokens: texts times the longest text's tokens.
const BATCH_TOKENS: usize = 512;

/// A model directory's tokenizer and encoder.
pub struct ExportedModel {
    pub tokenizer: Tokenizer,
    pub encoder: Encoder,
}

impl ExportedModel {
    /// Loads a model directory, to be run by as many threads as the process may use.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, Error> {
        let directory = ModelDirectory::open(path)?;
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Self {
            tokenizer: directory.load_tokenizer()?,
            encoder: Encoder::load(environment, &directory, threads)?,
        })
    }

    /// The model's description.
    pub fn description(&self) -> &Description {
        self.encoder.description()
    }

    /// The vectors of `texts`, in their order.
    pub fn embed_all(&mut self, texts: &[&str]) -> Result<Vec<Embedding>, Error> {
        let tokens = texts
            .iter()
            .map(|text| self.tokenizer.tokenize(text))
            .collect::<Result<Vec<Tokens>, _>>()?;
        let lengths: Vec<usize> = tokens.iter().map(Tokens::len).collect();
        let mut vectors = vec![Embedding::new(); texts.len()];
        for batch in batches(&lengths) {
            let texts: Vec<&Tokens> = batch.iter().map(|&index| &tokens[index]).collect();
            for (index, vector) in batch.into_iter().zip(self.encoder.encode(&texts)?) {
                vectors[index] = vector;
            }
        }
        Ok(vectors)
    }
}

impl EmbeddingModel for ExportedModel {
    type Error = crate::Error;

    fn token_ids(&mut self, text: &str) -> Result<Vec<u32>, crate::Error> {
        Ok(self.tokenizer.tokenize(text)?.ids().to_vec())
    }

    fn embed(&mut self, text: &str) -> Result<Vec<f32>, crate::Error> {
        let tokens = self.tokenizer.tokenize(text)?;
        Ok(self.encoder.encode(&[&tokens])?.concat())
    }
}

/// Batches of texts of about the same length, as indices into `lengths`.
fn batches(lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| lengths[index]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for index in order {
        // The text is the longest of the batch, because texts come in ascending order of length.
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * lengths[index] <= BATCH_TOKENS => batch.push(index),
            _ => batches.push(vec![index]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_text_once_and_at_most_the_largest_number_of_tokens() {
        let lengths: Vec<usize> = (0..200).map(|index| 3 + index * 37 % 300).collect();
        let batches = batches(&lengths);
        let mut all = batches.concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..200));
        for batch in batches {
            let longest = batch.iter().map(|&index| lengths[index]).max().unwrap();
            assert!(batch.len() * longest <= BATCH_TOKENS);
        }
    }

    #[test]
    fn a_text_above_the_largest_batch_is_a_batch_of_its_own() {
        assert_eq!(batches(&[600, 5, 700]), [vec![1], vec![0], vec![2]]);
    }
}
