//! A state dict as `torch.save` writes it: a zip file without compression, of a pickle and one file for each storage.
//!
//! No more is read than the tensors that are asked for, in the shapes that are asked for, so a file that announces more
//! than it has costs nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::pickle::{self, TensorPlace};
use crate::export::error::Error;
use crate::file;

/// Of a state dict of two tensors it has a few hundred bytes.
const LARGEST_PICKLE: u64 = 64 * 1024;
/// Far more than two tensors need.
const MOST_FILES: usize = 64;
const PICKLE: &str = "/data.pkl";

/// An open state dict.
pub struct StateDict {
    path: PathBuf,
    /// Folder of all files in the archive.
    folder: String,
    tensors: BTreeMap<String, TensorPlace>,
}

/// Why a file is not a state dict that can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateDictError {
    /// The file is not a zip file, or is damaged.
    #[error("it is no intact zip file, as which torch.save writes it")]
    Zip(#[from] ZipError),
    /// The pickle holds something else.
    #[error(transparent)]
    Pickle(#[from] pickle::Error),
    /// A part cannot be read.
    #[error("its {part} cannot be read")]
    Read {
        /// The part.
        part: String,
        /// The reader's error.
        source: std::io::Error,
    },
    /// Something is missing or of the wrong size.
    #[error("{0}")]
    Content(String),
}

impl StateDict {
    /// Opens the file at `path` and reads what it says about its tensors.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let archive = archive(path)?;
        Self::describe(path, archive).map_err(refusal(path))
    }

    fn describe(path: &Path, mut archive: Archive) -> Result<Self, StateDictError> {
        if archive.len() > MOST_FILES {
            return Err(StateDictError::Content(format!(
                "it has {} files; at most {MOST_FILES} are read",
                archive.len()
            )));
        }
        let pickle = archive
            .file_names()
            .filter_map(Result::ok)
            .find(|name| name.ends_with(PICKLE))
            .map(Cow::into_owned)
            .ok_or_else(|| StateDictError::Content(format!("it has no {}", &PICKLE[1..])))?;
        let folder = pickle[..pickle.len() - PICKLE.len()].to_owned();
        if let Some(order) = read(&mut archive, &format!("{folder}/byteorder"), LARGEST_PICKLE)?
            && order != b"little"
        {
            return Err(StateDictError::Content(
                "its tensors are not little endian".to_owned(),
            ));
        }
        let pickle = read(&mut archive, &pickle, LARGEST_PICKLE)?.unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            folder,
            tensors: pickle::state_dict(&pickle)?.into_iter().collect(),
        })
    }

    /// Names of the tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Shape of the tensor `name`.
    pub fn shape(&self, name: &str) -> Result<&[usize], Error> {
        Ok(&self.place(name)?.shape)
    }

    /// The tensor `name`, row after row; an error if its shape is another, or if a value is not finite.
    pub fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let place = self.place(name)?.clone();
        if place.shape != shape {
            return Err(self.refuse(format!(
                "its tensor {name} has the shape {:?}, not {shape:?}",
                place.shape
            )));
        }
        let mut archive = archive(&self.path)?;
        let storage = self.storage(&mut archive, &place);
        let storage = storage.map_err(refusal(&self.path))?;
        let values = gather(&storage, &place)
            .ok_or_else(|| self.refuse(format!("its tensor {name} reaches beyond its storage")))?;
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(self.refuse(format!(
                "its tensor {name} holds a value that is not finite"
            )))
        }
    }

    /// The error that the file's content is not usable, with the reason.
    pub fn refuse(&self, why: String) -> Error {
        refusal(&self.path)(StateDictError::Content(why))
    }

    fn place(&self, name: &str) -> Result<&TensorPlace, Error> {
        let place = self.tensors.get(name);
        place.ok_or_else(|| self.refuse(format!("it has no tensor {name}")))
    }

    /// All elements of a tensor's storage.
    fn storage(
        &self,
        archive: &mut Archive,
        place: &TensorPlace,
    ) -> Result<Vec<f32>, StateDictError> {
        let storage = &place.storage;
        let name = format!("{}/data/{}", self.folder, storage.key);
        let width = storage.element.bytes();
        let mut sizes = place.shape.iter();
        let needed = sizes.try_fold(width, |bytes, size| bytes.checked_mul(*size));
        // A larger storage belongs to more than this tensor, and a head's tensors have their own.
        let bytes = needed
            .filter(|bytes| storage.elements.checked_mul(width) == Some(*bytes))
            .ok_or_else(|| {
                StateDictError::Content(format!(
                    "its storage {} has {} elements, but its tensor has the shape {:?}",
                    storage.key, storage.elements, place.shape
                ))
            })? as u64;
        let data = read(archive, &name, bytes)?
            .ok_or_else(|| StateDictError::Content(format!("it has no storage {}", storage.key)))?;
        if data.len() as u64 != bytes {
            return Err(StateDictError::Content(format!(
                "its storage {} has {} bytes, not {bytes}",
                storage.key,
                data.len()
            )));
        }
        Ok(storage.element.to_floats(&data))
    }
}

fn refusal(path: &Path) -> impl Fn(StateDictError) -> Error {
    move |source| Error::StateDict {
        file: path.to_owned(),
        source,
    }
}

type Archive = ZipArchive<BufReader<File>>;

fn archive(path: &Path) -> Result<Archive, Error> {
    let file = file::open(path)?;
    let archive = ZipArchive::new(BufReader::new(file));
    archive.map_err(|error| refusal(path)(error.into()))
}

/// A file of the archive, of at most `limit` bytes, whatever the archive says about it; `None` if there is none.
fn read(archive: &mut Archive, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StateDictError> {
    let entry = match archive.by_name(name) {
        Ok(entry) => entry,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    let read = entry.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|source| StateDictError::Read {
        part: name.to_owned(),
        source,
    })?;
    if bytes.len() as u64 > limit {
        return Err(StateDictError::Content(format!(
            "its {name} has more than {limit} bytes"
        )));
    }
    Ok(Some(bytes))
}

/// The elements of a tensor of one or two axes, row after row; `None` if one lies outside the storage.
fn gather(storage: &[f32], place: &TensorPlace) -> Option<Vec<f32>> {
    let (rows, columns) = match place.shape.as_slice() {
        [columns] => ((1, 0), (*columns, place.strides[0])),
        [rows, columns] => ((*rows, place.strides[0]), (*columns, place.strides[1])),
        _ => return None,
    };
    let index = |row: usize, column: usize| {
        let row = row.checked_mul(rows.1)?.checked_add(place.offset)?;
        column.checked_mul(columns.1)?.checked_add(row)
    };
    let indices = (0..rows.0).flat_map(|row| (0..columns.0).map(move |column| (row, column)));
    indices
        .map(|(row, column)| storage.get(index(row, column)?).copied())
        .collect()
}
