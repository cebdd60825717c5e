//! A written model, loaded as the server loads it.
//!
//! Owns the batches in which many texts are embedded: no batch is larger than one of the server's own.

use std::num::NonZeroUsize;
use std::path::Path;

use ort::environment::Environment;

use super::Error;
use super::reference::Subject;
use crate::{Description, Embedding, Encoder, ModelDirectory, Tokenizer, Tokens};

/// Largest batch, in padded tokens (rows x longest row). A longer text goes alone.
const BATCH_TOKENS: usize = 512;

/// A model directory's tokenizer and encoder.
pub struct LoadedModel {
    pub tokenizer: Tokenizer,
    pub encoder: Encoder,
}

impl LoadedModel {
    /// Loads a model directory, to be run on every processor that may be used.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, Error> {
        let directory = ModelDirectory::open(path)?;
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Self {
            tokenizer: Tokenizer::load(&directory.tokenizer, directory.description.max_tokens)?,
            encoder: Encoder::load(environment, &directory, threads)?,
        })
    }

    /// What the model is.
    pub fn description(&self) -> &Description {
        self.encoder.description()
    }

    /// The vectors of texts, in their order.
    pub fn embed_all(&mut self, texts: &[&str]) -> Result<Vec<Embedding>, Error> {
        let tokens = texts
            .iter()
            .map(|text| self.tokenizer.tokenize(text))
            .collect::<Result<Vec<Tokens>, _>>()?;
        let lengths: Vec<usize> = tokens.iter().map(Tokens::len).collect();
        let mut vectors = vec![Embedding::new(); texts.len()];
        for batch in batches(&lengths) {
            let members: Vec<&Tokens> = batch.iter().map(|&index| &tokens[index]).collect();
            for (index, vector) in batch.into_iter().zip(self.encoder.encode(&members)?) {
                vectors[index] = vector;
            }
        }
        Ok(vectors)
    }
}

impl Subject for LoadedModel {
    type Error = crate::Error;

    fn token_ids(&mut self, text: &str) -> Result<Vec<u32>, crate::Error> {
        Ok(self.tokenizer.tokenize(text)?.ids().to_vec())
    }

    fn embed(&mut self, text: &str) -> Result<Vec<f32>, crate::Error> {
        let tokens = self.tokenizer.tokenize(text)?;
        Ok(self.encoder.encode(&[&tokens])?.concat())
    }
}

/// Indices of texts of these lengths, cut into batches of texts that are about equally long.
fn batches(lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| lengths[index]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for index in order {
        // In rising order the text that comes last is the longest.
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
    fn batches_hold_every_text_once_and_no_more_tokens_than_allowed() {
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
    fn a_text_beyond_the_limit_goes_alone() {
        assert_eq!(batches(&[600, 5, 700]), [vec![1], vec![0], vec![2]]);
    }
}
