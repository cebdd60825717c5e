//! The heads beside a checkpoint: `sparse_linear.pt` and `colbert_linear.pt`, as BAAI publishes them for bge-m3 and as
//! FlagEmbedding's fine-tuning leaves them.
//!
//! Owns their names and shapes. They are read without Python, and nothing in them is run.

mod pickle;
mod special_tokens;
mod state_dict;

use std::num::NonZeroUsize;
use std::path::Path;

#[cfg(any(test, fuzzing))]
pub use pickle::state_dict;
pub use special_tokens::tokens_without_weight;
pub use state_dict::{StateDict, StateDictError};

use super::error::Error;
use crate::graph::{COLBERT_HEAD, OutputHeads, SPARSE_HEAD};

const WEIGHT: &str = "weight";
const BIAS: &str = "bias";

/// The heads of a checkpoint, open to be read.
pub struct Heads {
    /// Which there are.
    pub present: OutputHeads,
    files: Vec<(&'static str, StateDict)>,
}

impl Heads {
    /// Opens the heads in `directory`, of a model whose tokens have `hidden` floats. There may be none, or one.
    pub fn open(directory: &Path, hidden: NonZeroUsize) -> Result<Self, Error> {
        let mut heads = Self {
            present: OutputHeads::default(),
            files: Vec::new(),
        };
        for head in [SPARSE_HEAD, COLBERT_HEAD] {
            let path = directory.join(format!("{head}.pt"));
            if !path.exists() {
                continue;
            }
            let file = StateDict::open(&path)?;
            let outputs = outputs(&file, hidden)?;
            match head {
                SPARSE_HEAD if outputs.get() == 1 => heads.present.sparse = true,
                SPARSE_HEAD => {
                    return Err(file.refuse(format!("it gives {outputs} weights a token, not 1")));
                }
                _ => heads.present.colbert = Some(outputs),
            }
            heads.files.push((head, file));
        }
        Ok(heads)
    }

    /// The tensor of a head by its full name, such as `sparse_linear.weight`; `None` if the name is not a head's.
    pub fn read(&self, name: &str, shape: &[usize]) -> Option<Result<Vec<f32>, Error>> {
        self.files.iter().find_map(|(head, file)| {
            let tensor = name.strip_prefix(*head)?.strip_prefix('.')?;
            Some(file.read(tensor, shape))
        })
    }
}

/// Outputs of a linear layer that takes a token.
fn outputs(file: &StateDict, hidden: NonZeroUsize) -> Result<NonZeroUsize, Error> {
    if let Some(other) = file.names().find(|name| ![WEIGHT, BIAS].contains(name)) {
        return Err(file.refuse(format!(
            "it has the tensor {other:?}, and not only {WEIGHT} and {BIAS}"
        )));
    }
    let outputs = match file.shape(WEIGHT)? {
        [outputs, inputs] if *inputs == hidden.get() => NonZeroUsize::new(*outputs),
        _ => None,
    };
    let shape = file.shape(WEIGHT)?;
    let outputs = outputs.ok_or_else(|| {
        file.refuse(format!(
            "its tensor {WEIGHT} has the shape {shape:?}; the model's tokens have {hidden} floats"
        ))
    })?;
    match file.shape(BIAS)? {
        [biases] if *biases == outputs.get() => Ok(outputs),
        shape => Err(file.refuse(format!(
            "its tensor {BIAS} has the shape {shape:?}, not [{outputs}]"
        ))),
    }
}
