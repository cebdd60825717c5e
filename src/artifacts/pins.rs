//! The pins of all downloads: version, revision, size and sha256.
//!
//! Owns the format of `nix/pins.json`, which Nix reads too. Invariant: only files that are pinned there, or in the same form in the
//! cache, become part of a checkpoint, and no other place names a version.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::Error;
use super::digest::{Hasher, Sha256};

/// What a path may hold as it stands in a URL.
const NOT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

static PINNED: LazyLock<Pins> = LazyLock::new(|| {
    Pins::parse(include_str!("../../nix/pins.json")).expect("a test parses the compiled-in pins")
});

/// Everything that can be downloaded.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// The model hub.
    pub hub: Hub,
    /// ONNX Runtime.
    pub onnxruntime: Runtime,
    /// Models by name.
    pub models: BTreeMap<String, Model>,
}

/// The model hub.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    /// Its address.
    pub url: String,
    /// Path template of a file, with the placeholders `{repository}`, `{revision}` and `{path}`.
    pub file: String,
    /// Path template of a repository's description, with the placeholders `{repository}` and `{revision}`.
    pub listing: String,
}

/// ONNX Runtime: a shared library inside a Python wheel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// Name of the Python package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// SPDX identifier of its licence.
    pub license: String,
    /// Python tag of the wheel, which is also its ABI tag; the library does not depend on it.
    pub python: String,
    /// Files of the wheel that must accompany the library.
    pub notices: Vec<String>,
    /// Wheels by system.
    pub systems: BTreeMap<String, RuntimeWheel>,
}

/// The wheel of ONNX Runtime for one system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeWheel {
    /// Platform tag.
    pub platform: String,
    /// Size of the wheel.
    pub bytes: u64,
    /// Digest of the wheel.
    pub sha256: Sha256,
    /// The shared library's path inside the wheel.
    pub library: String,
}

/// A model's checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its repository on the hub.
    pub repository: String,
    /// Commit of the repository.
    pub revision: String,
    /// Its licence: the SPDX identifier, or what the repository's card says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Its files by path.
    pub files: BTreeMap<String, File>,
    /// A Python wheel that carries the same files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<ModelWheel>,
}

/// One file of a checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// The commit that has it, if not the model's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// A Python wheel that carries a model's files.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelWheel {
    /// Name of the Python package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Size of the wheel.
    pub bytes: u64,
    /// Digest of the wheel.
    pub sha256: Sha256,
    /// What precedes a file's path inside the wheel.
    pub prefix: String,
}

impl Pins {
    /// The pins of this program.
    pub fn get() -> &'static Self {
        &PINNED
    }

    /// Reads pins in the format of `nix/pins.json`.
    pub fn parse(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(Error::Pins)
    }

    /// The model of that name.
    pub fn model(&self, name: &str) -> Result<&Model, Error> {
        self.models.get(name).ok_or_else(|| Error::UnknownModel {
            name: name.to_owned(),
            known: self.models.keys().cloned().collect(),
        })
    }

    /// ONNX Runtime's wheel for a system such as `x86_64-linux`.
    pub fn runtime(&self, system: &str) -> Result<&RuntimeWheel, Error> {
        self.onnxruntime
            .systems
            .get(system)
            .ok_or_else(|| Error::UnknownSystem {
                system: system.to_owned(),
                known: self.onnxruntime.systems.keys().cloned().collect(),
            })
    }
}

impl Hub {
    /// URL of a model's file on the hub at `address`.
    pub(super) fn url(&self, address: &str, model: &Model, path: &str) -> String {
        let revision = model
            .files
            .get(path)
            .and_then(|file| file.revision.as_ref())
            .unwrap_or(&model.revision);
        self.file_url(address, &model.repository, revision, path)
    }

    /// URL of a repository's file at a commit.
    pub(super) fn file_url(
        &self,
        address: &str,
        repository: &str,
        commit: &str,
        path: &str,
    ) -> String {
        let path = utf8_percent_encode(path, NOT_IN_PATHS).to_string();
        let file = self
            .file
            .replace("{repository}", repository)
            .replace("{revision}", commit)
            .replace("{path}", &path);
        at(address, &file)
    }

    /// URL of a repository's description at a revision, which must be encoded as one part of a path.
    pub(super) fn listing_url(&self, address: &str, repository: &str, revision: &str) -> String {
        let listing = self
            .listing
            .replace("{repository}", repository)
            .replace("{revision}", revision);
        at(address, &listing)
    }
}

fn at(address: &str, path: &str) -> String {
    format!("{}/{path}", address.trim_end_matches('/'))
}

impl Model {
    /// Twelve digits that change whenever any file does, so a folder named after them holds exactly these files.
    pub fn identity(&self) -> String {
        let mut hasher = Hasher::default();
        for (path, file) in &self.files {
            hasher.update(format!("{} {path}\n", file.sha256).as_bytes());
        }
        let mut digits = hasher.digest().to_string();
        digits.truncate(12);
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_pins_are_valid() {
        assert!(Pins::get().models.contains_key("bge-m3"));
        assert!(Pins::get().models.contains_key("minilm"));
    }

    #[test]
    fn a_file_at_another_revision_has_the_url_of_that_revision() {
        let pins = Pins::get();
        let model = pins.model("bge-m3").unwrap();
        let url = |path| pins.hub.url("http://hub/", model, path);
        assert_eq!(
            url("1_Pooling/config.json"),
            "http://hub/BAAI/bge-m3/resolve/5617a9f61b028005a4858fdac845db406aefb181/1_Pooling/config.json"
        );
        assert_eq!(
            url("model.safetensors"),
            "http://hub/BAAI/bge-m3/resolve/142964af7e05de16511657561de8e8750fc153a0/model.safetensors"
        );
    }

    #[test]
    fn the_only_pinned_pickles_are_heads() {
        for (path, model) in Pins::get().models.values().flat_map(|model| {
            model
                .files
                .keys()
                .map(move |path| (path, &model.repository))
        }) {
            assert!(
                [
                    ".json",
                    ".safetensors",
                    "sparse_linear.pt",
                    "colbert_linear.pt"
                ]
                .iter()
                .any(|end| path.ends_with(end)),
                "{model}: {path}"
            );
        }
    }

    #[test]
    fn an_unknown_model_is_rejected_with_the_known_names() {
        let error = Pins::get().model("bge-m4").unwrap_err().to_string();
        assert!(
            error.contains("bge-m4") && error.contains("bge-m3, minilm"),
            "{error}"
        );
    }

    #[test]
    fn the_identity_of_a_model_changes_with_any_file() {
        let pinned = Pins::get().model("minilm").unwrap();
        let mut changed = pinned.clone();
        changed.files.remove("modules.json");
        assert_ne!(pinned.identity(), changed.identity());
        assert_eq!(pinned.identity(), pinned.clone().identity());
    }
}
