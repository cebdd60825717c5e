//! From a model's name to its files: pinned by this program, pinned in the cache, or asked of the hub.
//!
//! Owns the pins of repositories in the cache, in the form of `nix/pins.json`. Invariant: a repository's commit is decided once.
//! [`Store::keep`] writes it down, and from then on only [`Store::renew`] asks the hub again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::digest::Sha256;
use super::download::{Hub, SMALL_FILE_BYTES};
use super::repository::{self, Repository};
use super::retry::IfUnreachable;
use super::{Error, Fault, RepositoryError, Store, pins, wanted_files};

/// Hexadecimal digits of a SHA-1, Git's shortest name of a commit.
const SHORTEST_COMMIT: usize = 40;
/// Digits of a commit in the name of a folder.
const SHOWN_DIGITS: usize = 12;

/// A model whose files are known.
#[derive(Debug, Clone)]
pub struct ResolvedModel {
    /// Name by which it is served: that of the pinned model, or the repository's.
    pub name: String,
    /// Its files.
    pub pin: pins::Model,
    /// The repository that it was asked for; nothing for a model that this program pins.
    repository: Option<Repository>,
    /// Whether the hub was asked, so that the cache may have another pin or none.
    is_new: bool,
    /// The small files, which were read to know their hashes.
    pub(super) contents: BTreeMap<String, Vec<u8>>,
}

impl ResolvedModel {
    /// The name as `fetch` takes it.
    pub fn asked_name(&self) -> String {
        match &self.repository {
            Some(repository) => repository.to_string(),
            None => self.name.clone(),
        }
    }

    /// Folder of the checkpoint, which changes with any of its files.
    pub(super) fn checkpoint_folder(&self) -> String {
        format!("{}-{}", self.folder(), self.pin.identity())
    }

    /// Folder of what is made from the checkpoint in the form `form`. It changes with the files, and with the commit, which
    /// the result names.
    pub fn folder_of(&self, form: &str) -> String {
        let identity = self.pin.identity();
        match &self.repository {
            Some(repository) => {
                let commit: String = self.pin.revision.chars().take(SHOWN_DIGITS).collect();
                format!("{}-{commit}-{form}-{identity}", repository.folder())
            }
            None => format!("{}-{form}-{identity}", self.name),
        }
    }

    fn folder(&self) -> String {
        let own = || self.name.clone();
        self.repository
            .as_ref()
            .map_or_else(own, Repository::folder)
    }
}

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

impl Store {
    /// The model of that name: pinned by this program, or `owner/name[@revision]` of the hub. The hub is asked only if the
    /// cache has no pin of the repository.
    pub fn model(&self, name: &str) -> Result<ResolvedModel, Error> {
        let repository = match self.pinned_or_repository(name)? {
            Ok(pinned) => return Ok(pinned),
            Err(repository) => repository,
        };
        match self.kept_pin(&repository)? {
            Some(pin) => Ok(ResolvedModel {
                name: repository.name.clone(),
                pin,
                repository: Some(repository),
                is_new: false,
                contents: BTreeMap::new(),
            }),
            None => self.resolve(repository),
        }
    }

    /// As [`Store::model`], but asks the hub for the newest commit of the revision. Also returns the commit that was kept
    /// before, if any.
    pub fn renew(&self, name: &str) -> Result<(ResolvedModel, Option<String>), Error> {
        match self.pinned_or_repository(name)? {
            Ok(pinned) => Ok((pinned, None)),
            Err(repository) => {
                // A pin that cannot be read is written anew.
                let before = self.kept_pin(&repository).ok().flatten();
                let commit = before.map(|pin| pin.revision);
                Ok((self.resolve(repository)?, commit))
            }
        }
    }

    /// Keeps the pin of a repository, so that the next [`Store::model`] gives the same model. It belongs after everything
    /// that can fail: a commit that cannot be used must not replace one that can.
    pub fn keep(&self, model: &ResolvedModel) -> Result<(), Error> {
        let Some(repository) = model.repository.as_ref().filter(|_| model.is_new) else {
            return Ok(());
        };
        let path = self.pin_path(repository);
        let failed = Error::file("write", &path);
        let directory = self.pin_directory();
        fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
        let json = serde_json::to_vec_pretty(&model.pin).map_err(Error::Pins)?;
        let mut file = tempfile::NamedTempFile::new_in(&directory).map_err(&failed)?;
        file.write_all(&json)
            .and_then(|()| file.as_file().sync_all())
            .map_err(&failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// A model of this program's pins, which may be named by its repository; or a repository.
    fn pinned_or_repository(&self, name: &str) -> Result<Result<ResolvedModel, Repository>, Error> {
        let pinned = |name: &str, pin: &pins::Model| ResolvedModel {
            name: name.to_owned(),
            pin: pin.clone(),
            repository: None,
            is_new: false,
            contents: BTreeMap::new(),
        };
        if !repository::is_meant(name) {
            return Ok(Ok(pinned(name, self.pins().model(name)?)));
        }
        let repository = Repository::parse(name)?;
        let found =
            self.pins().models.iter().find(|(_, pin)| {
                pin.repository == repository.name && repository.allows(&pin.revision)
            });
        Ok(match found {
            Some((name, pin)) => Ok(pinned(name, pin)),
            None => Err(repository),
        })
    }

    fn pin_directory(&self) -> PathBuf {
        self.cache.path("pins")
    }

    fn pin_path(&self, repository: &Repository) -> PathBuf {
        let (folder, revision) = (repository.folder(), repository.encoded_revision());
        self.pin_directory()
            .join(format!("{folder}@{revision}.json"))
    }

    fn kept_pin(&self, repository: &Repository) -> Result<Option<pins::Model>, Error> {
        let path = self.pin_path(repository);
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file("read", &path)(error)),
        };
        let pin = serde_json::from_slice(&json).map_err(|source| RepositoryError::KeptPin {
            path,
            repository: repository.to_string(),
            source,
        })?;
        Ok(Some(pin))
    }

    fn resolve(&self, repository: Repository) -> Result<ResolvedModel, Error> {
        if self.offline {
            return Err(Error::Offline {
                path: self.pin_path(&repository),
                remedy: fetch_elsewhere(&repository.to_string()),
            });
        }
        let hub = self.connect(IfUnreachable::Retry)?;
        let mut remote = Remote::list(self, &hub, &repository)?;
        let files = wanted_files::choose(&mut remote)?
            .into_iter()
            .map(|path| Ok((path.clone(), remote.file(&path)?)))
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let license = remote.license();
        Ok(ResolvedModel {
            name: repository.name.clone(),
            pin: pins::Model {
                repository: repository.name.clone(),
                revision: remote.commit,
                license,
                files,
                wheel: None,
            },
            repository: Some(repository),
            is_new: true,
            contents: remote.contents,
        })
    }
}

/// What to do where downloads are disabled.
pub(super) fn fetch_elsewhere(name: &str) -> String {
    format!("run `runpod-query fetch {name}` where downloads are allowed")
}

/// A repository on the hub, at one commit.
struct Remote<'a> {
    store: &'a Store,
    hub: &'a Hub<'a>,
    name: String,
    commit: String,
    files: BTreeMap<String, Sibling>,
    card: Option<Card>,
    contents: BTreeMap<String, Vec<u8>>,
}

impl<'a> Remote<'a> {
    fn list(store: &'a Store, hub: &'a Hub<'a>, repository: &Repository) -> Result<Self, Error> {
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

impl wanted_files::Repository for Remote<'_> {
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
