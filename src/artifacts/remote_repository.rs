//! What the hub says of a repository: the commit of a revision, its files, and the contents of the small ones.
//!
//! Owns the form of the hub's answer. Invariant: everything is of one commit, and the hash of a file is either the one that the hub
//! lists or that of its content.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::digest::Sha256;
use super::download::{Hub, SMALL_FILE_BYTES};
use super::repository::Repository;
use super::{Error, Fault, RepositoryError, Store, pins, wanted_files};

/// Hexadecimal digits of a SHA-1, Git's shortest name of a commit.
const SHORTEST_COMMIT: usize = 40;

/// What the hub says of a repository at a revision.
#[derive(Deserialize)]
struct Listing {
    /// The commit.
    #[serde(deserialize_with = "commit")]
    sha: String,
    siblings: Vec<Sibling>,
    #[serde(default, rename = "cardData")]
    card: Option<Card>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    /// Where the file is stored outside Git, which knows only its hash.
    lfs: Option<LargeFile>,
}

#[derive(Deserialize)]
struct LargeFile {
    sha256: Sha256,
    size: u64,
}

/// The header of the model's card.
#[derive(Deserialize)]
struct Card {
    #[serde(default)]
    license: serde_json::Value,
}

/// A commit becomes part of paths and addresses, so it is checked.
fn commit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let commit = String::deserialize(deserializer)?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if commit.len() < SHORTEST_COMMIT || !commit.bytes().all(is_digit) {
        return Err(D::Error::custom("sha is not a commit"));
    }
    Ok(commit)
}

/// A repository on the hub, at one commit.
pub(super) struct RemoteRepository<'a> {
    store: &'a Store,
    hub: &'a Hub<'a>,
    name: String,
    commit: String,
    files: BTreeMap<String, Sibling>,
    card: Option<Card>,
    contents: BTreeMap<String, Vec<u8>>,
}

impl<'a> RemoteRepository<'a> {
    /// Asks the hub for the commit of the revision and its files.
    pub(super) fn list(
        store: &'a Store,
        hub: &'a Hub<'a>,
        repository: &Repository,
    ) -> Result<Self, Error> {
        let name = repository.name.clone();
        let url =
            store
                .pins()
                .hub
                .listing_url(store.hub.as_str(), &name, &repository.encoded_revision());
        let json = hub
            .read(
                &name,
                &url.parse().map_err(|source| Error::HubUrl { source })?,
            )
            .map_err(|error| store.explain(error, &name, repository.revision()))?;
        let listing: Listing =
            serde_json::from_slice(&json).map_err(|source| RepositoryError::Form {
                file: format!("the hub's description of {name}"),
                source,
            })?;
        let files = listing.siblings.into_iter();
        Ok(Self {
            store,
            hub,
            name,
            commit: listing.sha,
            files: files.map(|file| (file.rfilename.clone(), file)).collect(),
            card: listing.card,
            contents: BTreeMap::new(),
        })
    }

    /// The pin of the wanted files, and the contents of those that had to be read.
    pub(super) fn into_pin(
        mut self,
        wanted: BTreeSet<String>,
    ) -> Result<(pins::Model, BTreeMap<String, Vec<u8>>), Error> {
        let mut files = BTreeMap::new();
        for path in wanted {
            let file = self.file(&path)?;
            files.insert(path, file);
        }
        let license = self.license();
        let pin = pins::Model {
            repository: self.name,
            revision: self.commit,
            license,
            files,
            wheel: None,
        };
        Ok((pin, self.contents))
    }

    /// Size and hash of a file. A file without a hash in the list is read.
    fn file(&mut self, path: &str) -> Result<pins::File, Error> {
        let large = self.files.get(path).and_then(|file| file.lfs.as_ref());
        let (bytes, sha256) = match large {
            Some(LargeFile { sha256, size }) => (*size, *sha256),
            None => {
                let content = wanted_files::Repository::read(self, path)?;
                (content.len() as u64, Sha256::of(content))
            }
        };
        Ok(pins::File {
            bytes,
            sha256,
            revision: None,
        })
    }

    fn download(&self, path: &str) -> Result<Vec<u8>, Error> {
        let file = format!("{}/{path}", self.name);
        let sibling = self.files.get(path);
        let size = sibling.and_then(|sibling| sibling.size);
        if size.is_some_and(|size| size > SMALL_FILE_BYTES) {
            return Err(RepositoryError::Unverifiable {
                file,
                limit: SMALL_FILE_BYTES,
            }
            .into());
        }
        let store = self.store;
        let url = store
            .pins()
            .hub
            .file_url(store.hub.as_str(), &self.name, &self.commit, path);
        let content = self
            .hub
            .read(
                &file,
                &url.parse().map_err(|source| Error::HubUrl { source })?,
            )
            .map_err(|error| store.explain(error, &self.name, &self.commit))?;
        let length = content.len() as u64;
        if let Some(size) = size.filter(|size| *size != length) {
            let source = Fault::different_size(size, length);
            return Err(RepositoryError::Different { file, source }.into());
        }
        Ok(content)
    }

    /// As the model's card names it, where it names one.
    fn license(&self) -> Option<String> {
        let license = &self.card.as_ref()?.license;
        license.as_str().map(str::to_owned)
    }
}

impl wanted_files::Repository for RemoteRepository<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn commit(&self) -> &str {
        &self.commit
    }

    fn paths(&self) -> BTreeSet<String> {
        self.files.keys().cloned().collect()
    }

    fn read(&mut self, path: &str) -> Result<&[u8], Error> {
        if !self.contents.contains_key(path) {
            let content = self.download(path)?;
            self.contents.insert(path.to_owned(), content);
        }
        Ok(&self.contents[path])
    }
}
