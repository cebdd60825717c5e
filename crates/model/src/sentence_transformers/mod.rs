//! The files in which SentenceTransformers describes a model.
//!
//! Owns what they say of a model: pooling, the longest text, the prompt. What they ask for is what `SentenceTransformer.encode`
//! does with a text, or it is refused by its name.

mod configuration;
mod modules;
mod pooling;
mod token_limit;
mod transformer;

use std::num::NonZeroUsize;
use std::path::Path;

use crate::error::Error;
pub use pooling::Pooling;
use token_limit::TokenLimit;

/// A model as SentenceTransformers describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentenceTransformer {
    /// How token vectors are pooled.
    pub pooling: Pooling,
    /// What precedes every text.
    pub prompt: Option<String>,
    token_limit: TokenLimit,
}

impl SentenceTransformer {
    /// Reads the files in `directory`; an error if one is missing or invalid, or if it asks for what is not supported.
    ///
    /// A directory without `modules.json` is a transformer alone; then `pooling` says how its token vectors are pooled.
    /// Where the files say it themselves, another `pooling` is an error.
    pub fn read(directory: &Path, pooling: Option<Pooling>) -> Result<Self, Error> {
        let path = directory.join(modules::FILE);
        if !path.exists() {
            return Ok(Self {
                pooling: pooling.ok_or_else(|| no_modules(directory))?,
                prompt: None,
                token_limit: TokenLimit::of_tokenizer(directory)?,
            });
        }
        let modules = modules::read(directory)?;
        let configuration = configuration::read(directory)?;
        let described = pooling::read(directory, &modules.pooling, configuration.prompt.is_some())?;
        if let Some(asked) = pooling {
            described.check_asked(asked, directory)?;
        }
        if !modules.normalizes {
            log::warn!(
                "{} has no Normalize module, so SentenceTransformers returns vectors of other lengths; here their length is 1",
                path.display()
            );
        }
        Ok(Self {
            pooling: described,
            prompt: configuration.prompt,
            token_limit: TokenLimit::read(directory)?,
        })
    }

    /// The most tokens of a text in a transformer that has `positions` for a text's tokens.
    pub fn max_tokens(&self, positions: NonZeroUsize) -> NonZeroUsize {
        self.token_limit.within(positions)
    }
}

fn no_modules(directory: &Path) -> Error {
    refuse(
        directory,
        format!(
            "it has no {}, in which SentenceTransformers says how token vectors are pooled; --pooling says it instead: cls \
             for models of FlagEmbedding, mean for most others",
            modules::FILE
        ),
    )
}

fn refuse(directory: &Path, why: String) -> Error {
    Error::NotAModel {
        directory: directory.to_owned(),
        why,
    }
}
