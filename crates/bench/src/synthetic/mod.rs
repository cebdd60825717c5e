//! A synthetic checkpoint: BAAI/bge-m3's architecture with random weights, to measure without a download.
//!
//! The same size gives the same bytes on every machine. Its time and memory are those of the real model, because neither
//! depends on the weights' values. Its vectors mean nothing.

mod descriptions;
mod pieces;
mod size;
mod tokenizer;
mod weights;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub use size::Size;

/// Name of a model of [`Size::BGE_M3`]; it tells the vectors from bge-m3's.
pub const NAME: &str = "bge-m3-synthetic";

/// Name of a model of [`Size::SMALL`].
pub const SMALL_NAME: &str = "small-synthetic";

/// Version of what is written, so that caches do not keep old checkpoints.
pub const FORMAT: u32 = 1;

/// A file of the checkpoint that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}", path = path.display())]
pub struct Error {
    path: PathBuf,
    source: io::Error,
}

/// Writes the checkpoint into the existing directory `target`. It needs a few MB of memory for any size.
pub fn write_checkpoint(target: &Path, size: Size) -> Result<(), Error> {
    for (file, json) in descriptions::all(size) {
        write(&target.join(file), |sink| sink.write_all(json.as_bytes()))?;
    }
    write(&target.join("tokenizer.json"), |sink| {
        tokenizer::write(sink, size.vocabulary)
    })?;
    write(&target.join("model.safetensors"), |sink| {
        weights::write(sink, &size.tensors())
    })
}

fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let create = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        fill(&mut file)?;
        file.flush()
    };
    create().map_err(|source| Error {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_same_size_gives_the_same_bytes_on_every_machine() {
        let directory = tempfile::tempdir().unwrap();
        write_checkpoint(directory.path(), Size::SMALL).unwrap();
        for (file, expected) in [
            (
                "model.safetensors",
                "35cba7d622f153ed923e4d5195bbf857171e58e2bfe3559b2609b2e18200527d",
            ),
            (
                "tokenizer.json",
                "736524e9e00a42863784ca07fabac382de8d459a476a4956ca4e95116833658e",
            ),
        ] {
            let bytes = std::fs::read(directory.path().join(file)).unwrap();
            let digest: String = Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(digest, expected, "{file}");
        }
    }
}
