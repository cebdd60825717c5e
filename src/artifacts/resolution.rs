//! From a model's name to its files: pinned by this program, pinned in the cache, or asked of the hub.
//!
//! Owns the pins of repositories in the cache, in the form of `nix/pins.json`. Invariant: a repository's commit is decided once.
//! [`Store::keep`] writes it down, and from then on only [`Store::renew`] asks the hub again.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::remote_repository::RemoteRepository;
use super::repository::{self, Repository};
use super::retry::IfUnreachable;
use super::{Error, RepositoryError, Store, pins, wanted_files};

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

/// What a name means.
enum Named {
    /// A model of this program's pins, which may be named by its repository.
    Pinned(Box<ResolvedModel>),
    /// A repository, whose files only the cache or the hub knows.
    Repository(Repository),
}

impl Named {
    fn pinned(name: &str, pin: &pins::Model) -> Self {
        Self::Pinned(Box::new(ResolvedModel {
            name: name.to_owned(),
            pin: pin.clone(),
            repository: None,
            is_new: false,
            contents: BTreeMap::new(),
        }))
    }
}

impl Store {
    /// The model of that name: pinned by this program, or `owner/name[@revision]` of the hub. The hub is asked only if the
    /// cache has no pin of the repository.
    pub fn model(&self, name: &str) -> Result<ResolvedModel, Error> {
        let repository = match self.named(name)? {
            Named::Pinned(model) => return Ok(*model),
            Named::Repository(repository) => repository,
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
        match self.named(name)? {
            Named::Pinned(model) => Ok((*model, None)),
            Named::Repository(repository) => {
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

    fn named(&self, name: &str) -> Result<Named, Error> {
        if !repository::is_meant(name) {
            let pin = self.pins().model(name)?;
            return Ok(Named::pinned(name, pin));
        }
        let repository = Repository::parse(name)?;
        let found =
            self.pins().models.iter().find(|(_, pin)| {
                pin.repository == repository.name && repository.allows(&pin.revision)
            });
        Ok(match found {
            Some((name, pin)) => Named::pinned(name, pin),
            None => Named::Repository(repository),
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
        let mut remote = RemoteRepository::list(self, &hub, &repository)?;
        let wanted = wanted_files::choose(&mut remote)?;
        let (pin, contents) = remote.into_pin(wanted)?;
        Ok(ResolvedModel {
            name: repository.name.clone(),
            pin,
            repository: Some(repository),
            is_new: true,
            contents,
        })
    }
}

/// What to do where downloads are disabled.
pub(super) fn fetch_elsewhere(name: &str) -> String {
    format!("run `runpod-query fetch {name}` where downloads are allowed")
}
