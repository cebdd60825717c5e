//! An exported model, loaded as the server loads it.
//!
//! Owns the batching of many texts: no run computes more than 512 tokens, padding included, unless of a single text.

use std::num::NonZeroUsize;
use std::path::Path;

use ort::environment::Environment;

use super::error::Error;
use super::reference::EmbeddingModel;
use crate::batch_layout::{BatchLayout, BatchSize};
use crate::description::{Description, ModelDirectory};
use crate::encoder::{Encoder, Text};
use crate::outputs::{Encoded, Outputs};
use crate::tokenizer::{Tokenizer, Tokens};

/// Largest batch, in tokens that its run computes.
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

    /// The outputs of `texts`, in their order.
    pub fn encode_all(&mut self, texts: &[&str], outputs: Outputs) -> Result<Vec<Encoded>, Error> {
        let tokens = texts
            .iter()
            .map(|text| self.tokenizer.tokenize(text))
            .collect::<Result<Vec<Tokens>, _>>()?;
        let lengths: Vec<usize> = tokens.iter().map(Tokens::len).collect();
        let mut all = vec![Encoded::default(); texts.len()];
        for batch in batches(&lengths, self.encoder.layout()) {
            let text = |&index: &usize| Text {
                tokens: &tokens[index],
                outputs,
            };
            let texts: Vec<Text<'_>> = batch.iter().map(text).collect();
            for (index, encoded) in batch.into_iter().zip(self.encoder.encode_each(&texts)?) {
                all[index] = encoded?;
            }
        }
        Ok(all)
    }
}

impl EmbeddingModel for ExportedModel {
    type Error = crate::Error;

    fn token_ids(&mut self, text: &str) -> Result<Vec<u32>, crate::Error> {
        Ok(self.tokenizer.tokenize(text)?.ids().to_vec())
    }

    fn outputs(&self) -> Outputs {
        self.encoder.outputs()
    }

    fn encode(&mut self, text: &str, outputs: Outputs) -> Result<Encoded, crate::Error> {
        let tokens = &self.tokenizer.tokenize(text)?;
        let mut encoded = self.encoder.encode_each(&[Text { tokens, outputs }])?;
        encoded.remove(0)
    }
}

/// Batches of texts of about the same length, as indices into `lengths`.
fn batches(lengths: &[usize], layout: BatchLayout) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| lengths[index]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut size = BatchSize::default();
    for index in order {
        size = size.with(lengths[index]);
        match batches.last_mut() {
            Some(batch) if layout.computed_tokens(size) <= BATCH_TOKENS => batch.push(index),
            _ => {
                size = BatchSize::default().with(lengths[index]);
                batches.push(vec![index]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUTS: [BatchLayout; 2] = [BatchLayout::Concatenated, BatchLayout::Padded];

    #[test]
    fn batches_hold_every_text_once_and_at_most_the_largest_number_of_tokens() {
        let lengths: Vec<usize> = (0..200).map(|index| 3 + index * 37 % 300).collect();
        for layout in LAYOUTS {
            let batches = batches(&lengths, layout);
            let mut all = batches.concat();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..200));
            for batch in batches {
                let size = batch.iter().map(|&index| lengths[index]).collect();
                assert!(layout.computed_tokens(size) <= BATCH_TOKENS);
            }
        }
    }

    #[test]
    fn only_padding_keeps_a_long_text_out_of_a_batch_of_short_ones() {
        let lengths = [400, 10, 10, 10];
        let [concatenated, padded] = LAYOUTS.map(|layout| batches(&lengths, layout));
        assert_eq!(concatenated, [vec![1, 2, 3, 0]]);
        assert_eq!(padded, [vec![1, 2, 3], vec![0]]);
    }

    #[test]
    fn a_text_above_the_largest_batch_is_a_batch_of_its_own() {
        for layout in LAYOUTS {
            let batches = batches(&[600, 5, 700], layout);
            assert_eq!(batches, [vec![1], vec![0], vec![2]]);
        }
    }
}
