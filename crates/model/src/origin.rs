//! What the path of a directory says of the model in it.
//!
//! Invariant: a name is never empty nor dots, whatever way leads to the directory.

use std::path::Path;

use crate::error::Error;

/// How the caches of Hugging Face's libraries name the folder of a repository: this, and its name with `--` for `/`.
const REPOSITORY: &str = "models--";
/// The folder of a repository in which every commit has a folder.
const SNAPSHOTS: &str = "snapshots";

/// A model's name and revision as its directory tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The directory's own name, or the repository's in a cache of Hugging Face's.
    pub name: String,
    /// The commit in such a cache.
    pub revision: Option<String>,
}

impl Origin {
    /// What the path of an existing directory says; an error for the root, which has no name.
    pub fn of(directory: &Path) -> Result<Self, Error> {
        let path = directory
            .canonicalize()
            .map_err(Error::reading(directory))?;
        if let Some(origin) = Self::of_snapshot(&path) {
            return Ok(origin);
        }
        // The name of a link is what its owner calls the model.
        let name = directory.file_name().or_else(|| path.file_name());
        let name = name.ok_or_else(|| Error::NotAModel {
            directory: directory.to_owned(),
            why: "it has no name by which the model could be served".to_owned(),
        })?;
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            revision: None,
        })
    }

    /// `…/models--OWNER--NAME/snapshots/COMMIT`.
    fn of_snapshot(path: &Path) -> Option<Self> {
        let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
        let snapshots = path.parent()?;
        let repository = name(snapshots.parent()?)?;
        let repository = repository.strip_prefix(REPOSITORY)?;
        if name(snapshots)? != SNAPSHOTS || repository.is_empty() {
            return None;
        }
        Some(Self {
            name: repository.replacen("--", "/", 1),
            revision: name(path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(path: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join(path);
        std::fs::create_dir_all(&directory).unwrap();
        (root, directory)
    }

    #[test]
    fn dots_lead_to_the_real_name() {
        let (_root, directory) = made("fine-tune/checkpoint");
        for path in [
            directory.clone(),
            directory.join("."),
            directory.join("../checkpoint/"),
        ] {
            assert_eq!(Origin::of(&path).unwrap().name, "checkpoint");
        }
        assert_eq!(Origin::of(&directory.join("..")).unwrap().name, "fine-tune");
        let here = Origin::of(Path::new(".")).unwrap().name;
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(Some(here.as_ref()), manifest.file_name());
    }

    #[test]
    fn a_snapshot_has_the_name_of_its_repository_and_its_commit() {
        for (folder, name) in [
            ("models--BAAI--bge-m3", "BAAI/bge-m3"),
            ("models--owner--a--b", "owner/a--b"),
            ("models--gpt2", "gpt2"),
        ] {
            let (_root, directory) = made(&format!("{folder}/snapshots/5617a9f61b"));
            let expected = Origin {
                name: name.to_owned(),
                revision: Some("5617a9f61b".to_owned()),
            };
            assert_eq!(Origin::of(&directory.join(".")).unwrap(), expected);
        }
    }

    #[test]
    fn a_link_keeps_its_own_name() {
        let (root, directory) = made("a1b2");
        let link = root.path().join("newest");
        std::os::unix::fs::symlink(&directory, &link).unwrap();
        assert_eq!(Origin::of(&link).unwrap().name, "newest");
    }

    #[test]
    fn the_root_and_a_missing_directory_are_errors() {
        assert!(Origin::of(Path::new("/")).is_err());
        let missing = Origin::of(Path::new("/missing/directory"));
        assert!(matches!(missing, Err(Error::Read { .. })), "{missing:?}");
    }
}
