//! The weights of a checkpoint: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
//!
//! Owns the reading of the index. Every shard that it names exists and stands beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::Error;
use super::safetensors::{SafetensorsFile, Tensor};
use crate::checkpoint_files::{WEIGHTS, WEIGHTS_INDEX, refuse_weights};
use crate::json::read_json;

/// The open files of weights of a checkpoint.
pub struct WeightFiles {
    /// The only file, or the index of all.
    path: PathBuf,
    /// In the order of their names.
    files: Vec<SafetensorsFile>,
    /// The place in `files` of every tensor.
    file_of: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Index {
    /// The name of each tensor's file.
    weight_map: BTreeMap<String, String>,
}

impl WeightFiles {
    /// Opens the weights of the checkpoint in `directory`.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(WEIGHTS);
        if path.is_file() {
            return Self::single(path);
        }
        let path = directory.join(WEIGHTS_INDEX);
        if path.is_file() {
            return Self::sharded(path, directory);
        }
        Err(Error::Checkpoint {
            directory: directory.to_owned(),
            why: refuse_weights(directory),
        })
    }

    fn single(path: PathBuf) -> Result<Self, Error> {
        let file = SafetensorsFile::open(&path)?;
        let file_of = file.names().into_iter().map(|name| (name, 0)).collect();
        Ok(Self {
            path,
            files: vec![file],
            file_of,
        })
    }

    fn sharded(path: PathBuf, directory: &Path) -> Result<Self, Error> {
        let Index { weight_map } = read_json(&path)?;
        let names: BTreeSet<&str> = weight_map.values().map(String::as_str).collect();
        let shards: Vec<&str> = names.into_iter().collect();
        let files = shards
            .iter()
            .map(|shard| SafetensorsFile::open(&shard_path(directory, shard)?))
            .collect::<Result<_, Error>>()?;
        let place = |shard: &str| shards.iter().position(|other| *other == shard);
        let file_of = weight_map
            .iter()
            .filter_map(|(tensor, shard)| Some((tensor.clone(), place(shard)?)))
            .collect();
        Ok(Self {
            path,
            files,
            file_of,
        })
    }

    /// The names of all tensors, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.file_of.keys().map(String::as_str)
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.file_of.contains_key(name)
    }

    /// The shape of a tensor; an error if there is none of this name.
    pub fn shape(&self, name: &str) -> Result<&[usize], Error> {
        self.file(name)?.shape(name)
    }

    /// Finds a tensor; an error if there is none of exactly this name and shape, or if its elements cannot be exported.
    pub fn find(&self, name: &str, shape: &[usize]) -> Result<Tensor<'_>, Error> {
        self.file(name)?.find(name, shape)
    }

    fn file(&self, tensor: &str) -> Result<&SafetensorsFile, Error> {
        let place = self.file_of.get(tensor);
        place
            .map(|&place| &self.files[place])
            .ok_or_else(|| self.refuse(tensor, "is missing"))
    }

    /// The error about a tensor.
    pub fn refuse(&self, tensor: &str, why: &str) -> Error {
        Error::Tensor {
            file: self.path.clone(),
            tensor: tensor.to_owned(),
            why: why.to_owned(),
        }
    }

    /// The paths of the files, in the order of their names.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(SafetensorsFile::path)
    }
}

/// Where a shard is. Only a plain file name is accepted, so that an index leads nowhere else.
fn shard_path(directory: &Path, shard: &str) -> Result<PathBuf, Error> {
    let refuse = |why: &str| Error::Checkpoint {
        directory: directory.to_owned(),
        why: format!("{WEIGHTS_INDEX} names the shard {shard:?}, which {why}"),
    };
    let is_file_name = !shard.contains(['/', '\\']) && !matches!(shard, "" | "." | "..");
    if !is_file_name {
        return Err(refuse("is not the name of a file beside it"));
    }
    let path = directory.join(shard);
    if path.exists() {
        Ok(path)
    } else {
        Err(refuse("is missing"))
    }
}
