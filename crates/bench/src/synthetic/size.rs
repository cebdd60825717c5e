//! The transformer's size, and the tensors that follow from it.

/// Sizes of an XLM-RoBERTa encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Encoder layers.
    pub layers: usize,
    /// Floats per token, and in a vector.
    pub hidden: usize,
    /// Attention heads.
    pub heads: usize,
    /// Floats per token inside the feed-forward layers.
    pub intermediate: usize,
    /// Pieces of the tokenizer.
    pub vocabulary: usize,
    /// Rows of the position embeddings.
    pub positions: usize,
}

/// One tensor of the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// Rows of the position embeddings before a text's first position.
const RESERVED_POSITIONS: usize = 2;

impl Size {
    /// BAAI/bge-m3's own: 568 million parameters, 2.3 GB.
    pub const BGE_M3: Self = Self {
        layers: 24,
        hidden: 1024,
        heads: 16,
        intermediate: 4096,
        vocabulary: 250_002,
        positions: 8194,
    };

    /// Less than a megabyte, for tests.
    pub const SMALL: Self = Self {
        layers: 2,
        hidden: 32,
        heads: 4,
        intermediate: 64,
        vocabulary: 2_000,
        positions: 130,
    };

    /// Longest text, in tokens, special tokens included.
    pub fn max_tokens(self) -> usize {
        self.positions - RESERVED_POSITIONS
    }

    /// Every tensor of the checkpoint, in the order of the file.
    pub fn tensors(self) -> Vec<Tensor> {
        let hidden = self.hidden;
        let mut tensors = vec![
            tensor(
                "embeddings.word_embeddings.weight",
                &[self.vocabulary, hidden],
            ),
            tensor(
                "embeddings.position_embeddings.weight",
                &[self.positions, hidden],
            ),
            tensor("embeddings.token_type_embeddings.weight", &[1, hidden]),
        ];
        tensors.extend(normalization("embeddings", hidden));
        for layer in 0..self.layers {
            tensors.extend(self.layer(&format!("encoder.layer.{layer}")));
        }
        tensors.extend(linear("pooler.dense", hidden, hidden));
        tensors
    }

    fn layer(self, name: &str) -> Vec<Tensor> {
        let (hidden, intermediate) = (self.hidden, self.intermediate);
        let attention = format!("{name}.attention");
        let parts = ["query", "key", "value"]
            .into_iter()
            .flat_map(|part| linear(&format!("{attention}.self.{part}"), hidden, hidden));
        let mut tensors: Vec<Tensor> = parts.collect();
        tensors.extend(linear(&format!("{attention}.output.dense"), hidden, hidden));
        tensors.extend(normalization(&format!("{attention}.output"), hidden));
        tensors.extend(linear(
            &format!("{name}.intermediate.dense"),
            intermediate,
            hidden,
        ));
        tensors.extend(linear(
            &format!("{name}.output.dense"),
            hidden,
            intermediate,
        ));
        tensors.extend(normalization(&format!("{name}.output"), hidden));
        tensors
    }
}

fn linear(name: &str, outputs: usize, inputs: usize) -> [Tensor; 2] {
    [
        tensor(&format!("{name}.weight"), &[outputs, inputs]),
        tensor(&format!("{name}.bias"), &[outputs]),
    ]
}

fn normalization(name: &str, width: usize) -> [Tensor; 2] {
    ["weight", "bias"].map(|part| tensor(&format!("{name}.LayerNorm.{part}"), &[width]))
}

fn tensor(name: &str, shape: &[usize]) -> Tensor {
    Tensor {
        name: name.to_owned(),
        shape: shape.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_size_has_as_many_parameters_as_the_published_model() {
        let parameters: usize = Size::BGE_M3
            .tensors()
            .iter()
            .map(|tensor| tensor.shape.iter().product::<usize>())
            .sum();
        assert_eq!(parameters, 567_754_752);
    }
}
