//! Errors of repositories of the hub.
//!
//! Invariant: every message names the repository, and what the user can do. No message shows a token.

use std::path::PathBuf;

use super::{Error, Fault};

/// Why a repository of the hub cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// The text is not the name of a repository.
    #[error(
        "{name:?} names no repository of the hub ({why}): a repository is owner/name or owner/name@revision, \
         and a directory is given by --model-directory (model.directory)"
    )]
    Name {
        /// The text.
        name: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// The token cannot stand in a header.
    #[error(
        "HF_TOKEN (artifacts.hub_token) is not a token: it contains characters that no header may contain"
    )]
    Token,
    /// The hub asks for a token, or for another one.
    #[error(
        "the hub refuses access to {repository}: it is private, gated or does not exist. {advice}",
        advice = advice(*.has_token)
    )]
    Access {
        /// The repository.
        repository: String,
        /// Whether a token was sent.
        has_token: bool,
        /// The refusal.
        source: Box<Error>,
    },
    /// The hub knows no such repository or revision.
    #[error(
        "the hub has no repository {repository}, or it has no revision {revision}. {advice}. \
         A directory is given by --model-directory (model.directory)",
        advice = advice(*.has_token)
    )]
    NotFound {
        /// The repository.
        repository: String,
        /// Branch, tag or commit.
        revision: String,
        /// Whether a token was sent.
        has_token: bool,
        /// The refusal.
        source: Box<Error>,
    },
    /// A JSON document of the hub or of the repository has another form.
    #[error("{file} does not have the form that it should have")]
    Form {
        /// The document.
        file: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The repository lacks a file without which it cannot be exported.
    #[error(
        "{repository} has no {file} at commit {commit}. Save the model with a recent transformers or \
         sentence-transformers (save_pretrained), and export that directory: runpod-query export DIRECTORY TARGET"
    )]
    Lacks {
        /// The repository.
        repository: String,
        /// The commit.
        commit: String,
        /// The missing file.
        file: String,
    },
    /// The repository holds an adapter, such as LoRA's.
    #[error(
        "{repository} holds an adapter at commit {commit}, whose weights are of use only with those of its base model. Merge \
         them (merge_and_unload of the Python package peft), save the result, and export it: runpod-query export DIRECTORY TARGET"
    )]
    Adapter {
        /// The repository.
        repository: String,
        /// The commit.
        commit: String,
    },
    /// The weights exist only as a pickle, which is never read.
    #[error(
        "{repository} has no model.safetensors at commit {commit}: its weights are a Python pickle ({pickle}), which is not \
         read. Convert them: SentenceTransformer(\"{repository}\").save_pretrained(\"DIRECTORY\") in Python writes \
         safetensors, which `runpod-query export DIRECTORY TARGET` reads"
    )]
    OnlyPickle {
        /// The repository.
        repository: String,
        /// The commit.
        commit: String,
        /// The file.
        pickle: String,
    },
    /// A file of the repository leads to a path that is not inside it.
    #[error("{file} names {path:?}, which is not a file of the repository")]
    Path {
        /// The file that names it.
        file: String,
        /// The path.
        path: String,
    },
    /// A large file has no hash, so a download of it could not be verified.
    #[error(
        "the hub gives no SHA-256 of {file}, which is needed for a file of more than {limit} bytes"
    )]
    Unverifiable {
        /// The file.
        file: String,
        /// Largest file that is verified by its size alone when it is first downloaded.
        limit: u64,
    },
    /// The hub's file is not the one in its own list.
    #[error("the hub's {file} is not the one in its list of files")]
    Different {
        /// The file.
        file: String,
        /// How it differs.
        source: Fault,
    },
    /// The kept pin of a repository cannot be read.
    #[error("{path} cannot be read; `runpod-query fetch {repository}` writes it anew", path = path.display())]
    KeptPin {
        /// The file in the cache.
        path: PathBuf,
        /// The repository, with its revision if one was named.
        repository: String,
        /// What the parser says.
        source: serde_json::Error,
    },
}

impl RepositoryError {
    /// Whether the hub refused, so that another source may help.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Access { .. } | Self::NotFound { .. })
    }
}

fn advice(has_token: bool) -> &'static str {
    if has_token {
        "The token in HF_TOKEN (artifacts.hub_token) may not read it"
    } else {
        "If it is private or gated, set HF_TOKEN (artifacts.hub_token) to a token that may read it"
    }
}
