//! Names of the hub's repositories: `owner/name`, or `owner/name@revision`.
//!
//! Invariant: a [`Repository`] follows the hub's own rules, so neither its name nor its [folder](Repository::folder) can lead
//! out of the cache or to another address.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Error, Pins, RepositoryError};

/// The branch that is meant where no revision is named.
const DEFAULT_REVISION: &str = "main";
/// Longest owner and longest name, in characters.
const LONGEST_PART: usize = 96;
/// Longest revision, in bytes: as long as a branch of Git may be.
const LONGEST_REVISION: usize = 250;

/// A repository of the hub and one of its revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    /// `owner/name`.
    pub(super) name: String,
    /// Branch, tag or commit, if one is named.
    revision: Option<String>,
}

impl Repository {
    /// Reads `owner/name` or `owner/name@revision`.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |why| RepositoryError::Name {
            name: text.to_owned(),
            why,
        };
        let (name, revision) = match text.split_once('@') {
            Some((name, revision)) => (name, Some(revision)),
            None => (text, None),
        };
        let Some((owner, own)) = name.split_once('/') else {
            return Err(invalid("it has no owner").into());
        };
        for part in [owner, own] {
            check_part(part).map_err(invalid)?;
        }
        if own.ends_with(".git") {
            return Err(invalid("it ends in .git").into());
        }
        revision.map_or(Ok(()), check_revision).map_err(invalid)?;
        Ok(Self {
            name: name.to_owned(),
            revision: revision.map(str::to_owned),
        })
    }

    /// Branch, tag or commit.
    pub(super) fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(DEFAULT_REVISION)
    }

    /// Whether `commit` is what was asked for: it is named, or no revision is.
    pub(super) fn allows(&self, commit: &str) -> bool {
        self.revision
            .as_ref()
            .is_none_or(|revision| revision == commit)
    }

    /// The name as one folder: no name contains `--`, so no two share one.
    pub(super) fn folder(&self) -> String {
        self.name.replace('/', "--")
    }

    /// The revision as one part of a path or of a URL.
    pub(super) fn encoded_revision(&self) -> String {
        utf8_percent_encode(self.revision(), NON_ALPHANUMERIC).to_string()
    }
}

/// As `fetch` and `--model` take it.
impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(formatter, "{}@{revision}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

/// The repository of a model that is served by this name: a pinned model's, or the name itself if it is a repository's.
pub fn repository_of(name: &str) -> Option<String> {
    if let Ok(pin) = Pins::get().model(name) {
        return Some(pin.repository.clone());
    }
    let repository = Repository::parse(name).ok()?;
    repository.revision.is_none().then_some(repository.name)
}

/// Whether a text is meant as a repository or a path, rather than as the name of a pinned model.
pub(super) fn is_meant(text: &str) -> bool {
    text.contains(['/', '\\', '@']) || text.starts_with(['.', '~'])
}

fn check_part(part: &str) -> Result<(), &'static str> {
    let is_edge = |character: char| matches!(character, '.' | '-');
    if part.is_empty() {
        return Err("the owner or the name is empty");
    }
    if part.chars().count() > LONGEST_PART {
        return Err("the owner or the name has more than 96 characters");
    }
    if !part
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || "._-".contains(character))
    {
        return Err("owner and name consist of letters, digits, '.', '_' and '-'");
    }
    if part.starts_with(is_edge) || part.ends_with(is_edge) {
        return Err("the owner or the name begins or ends with '.' or '-'");
    }
    if part.contains("..") || part.contains("--") {
        return Err("it contains '..' or '--'");
    }
    Ok(())
}

fn check_revision(revision: &str) -> Result<(), &'static str> {
    if revision.is_empty() {
        return Err("the revision after '@' is empty");
    }
    if revision.len() > LONGEST_REVISION {
        return Err("the revision has more than 250 bytes");
    }
    if revision.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err("the revision contains white space");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_may_name_a_revision() {
        let plain = Repository::parse("intfloat/multilingual-e5-small").unwrap();
        assert_eq!(plain.name, "intfloat/multilingual-e5-small");
        assert_eq!(plain.revision(), "main");
        assert_eq!(plain.folder(), "intfloat--multilingual-e5-small");
        let revised = Repository::parse("a_1/b.c@refs/pr/1").unwrap();
        assert_eq!(
            (revised.name.as_str(), revised.revision()),
            ("a_1/b.c", "refs/pr/1")
        );
        assert_eq!(revised.encoded_revision(), "refs%2Fpr%2F1");
        assert_eq!(revised.to_string(), "a_1/b.c@refs/pr/1");
    }

    #[test]
    fn a_revision_never_leads_out_of_a_folder() {
        for revision in ["..", ".", "../../x", "/x"] {
            let repository = Repository::parse(&format!("a/b@{revision}")).unwrap();
            let encoded = repository.encoded_revision();
            assert!(!encoded.contains(['.', '/']), "{encoded}");
        }
    }

    #[test]
    fn what_is_no_repository_is_an_error_that_names_directories() {
        let long = format!("a/{}", "b".repeat(LONGEST_PART + 1));
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "./model",
            "../model",
            "/models/mine",
            "~/model",
            "models/mine/",
            "a/b/c",
            "a/.",
            "a/..",
            "a/b..c",
            "a/b--c",
            "a/-b",
            "a/b.",
            "a/b c",
            "a/b\u{e4}",
            "a/b.git",
            "a/b@",
            "a/b@x y",
            "a\\b",
            "a@b",
            &long,
        ] {
            let error = Repository::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
            assert!(error.contains("--model-directory"), "{error}");
        }
    }

    #[test]
    fn a_pinned_model_has_its_repository_and_others_have_their_own_name() {
        assert_eq!(repository_of("bge-m3").as_deref(), Some("BAAI/bge-m3"));
        assert_eq!(repository_of("acme/model").as_deref(), Some("acme/model"));
        assert_eq!(repository_of("model"), None);
    }
}
