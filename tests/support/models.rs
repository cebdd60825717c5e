//! Real models, kept in the user's cache between runs.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use model::export::{self, Options};
use model::{Encoder, ModelDirectory, Tokenizer, Tokens, load_runtime};
use model::{Pooling, Precision};
use runpod_query::artifacts::Store;
use runpod_query::config::Settings;

use super::golden;

/// A loaded model and its tokenizer.
pub struct Model {
    pub tokenizer: Tokenizer,
    pub encoder: Encoder,
    // Deleted with the model.
    _directory: tempfile::TempDir,
}

impl Model {
    /// Exports the checkpoint in fp32 and loads what was written.
    pub fn export(checkpoint: &Path, name: &str) -> Self {
        Self::export_in(checkpoint, name, Precision::Fp32)
    }

    /// Exports the checkpoint and loads what was written.
    pub fn export_in(checkpoint: &Path, name: &str, precision: Precision) -> Self {
        let options = Options {
            name: name.to_owned(),
            revision: None,
            precision,
            pooling: None,
        };
        Self::export_with(checkpoint, &options)
    }

    /// Exports the checkpoint and loads what was written.
    pub fn export_with(checkpoint: &Path, options: &Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        export::export(checkpoint, directory.path(), options).unwrap();
        Self::load(directory)
    }

    /// The vectors of the golden texts, one at a time.
    pub fn encode_golden(&mut self) -> Vec<Vec<f32>> {
        let texts = golden::texts().iter();
        texts.flat_map(|text| self.encode(&[&text.text])).collect()
    }

    /// Loads a model directory.
    pub fn load(directory: tempfile::TempDir) -> Self {
        Self::load_pooled(directory, None)
    }

    /// Loads a model directory whose files may not say how token vectors are pooled.
    pub fn load_pooled(directory: tempfile::TempDir, pooling: Option<Pooling>) -> Self {
        let model = ModelDirectory::open_pooled(directory.path(), pooling).unwrap();
        let tokenizer = model.load_tokenizer().unwrap();
        let environment = load_runtime(&runtime_library()).unwrap();
        let encoder = Encoder::load(&environment, &model, NonZeroUsize::MIN).unwrap();
        Self {
            tokenizer,
            encoder,
            _directory: directory,
        }
    }

    /// The vectors of texts in one batch.
    pub fn encode(&mut self, texts: &[&str]) -> Vec<Vec<f32>> {
        let tokens: Vec<Tokens> = texts
            .iter()
            .map(|text| self.tokenizer.tokenize(text).unwrap())
            .collect();
        self.encoder
            .encode(&tokens.iter().collect::<Vec<_>>())
            .unwrap()
    }
}

/// The program's own store, so that files are downloaded once.
pub fn store() -> Store {
    let settings = Settings::load(None, Vec::new()).unwrap();
    Store::open(&settings.artifacts).unwrap()
}

/// ONNX Runtime's shared library.
pub fn runtime_library() -> PathBuf {
    store().runtime_library().unwrap()
}

/// The checkpoint that a golden file was made from.
pub fn checkpoint(name: &str) -> PathBuf {
    match name {
        "minilm" => store().checkpoint(name).unwrap(),
        fixture => golden::path(&format!("fixtures/{fixture}")),
    }
}

/// The files of a fixture as SentenceTransformer saves it.
pub const CHECKPOINT_FILES: [&str; 7] = [
    "1_Pooling/config.json",
    "config.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

/// The graph in the directory of another exporter.
pub const FOREIGN_GRAPH: &str = "onnx/model.onnx";

/// PyTorch's export of tiny-bert, which ends in `last_hidden_state`, beside the checkpoint's own files.
pub fn foreign_bert() -> tempfile::TempDir {
    let directory = copy_of(
        "tiny-bert",
        &[
            "config.json",
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json",
            "1_Pooling/config.json",
        ],
    );
    let exported = golden::path("fixtures/foreign-bert");
    copy_into(directory.path(), &exported, &[FOREIGN_GRAPH]);
    directory
}

/// What a checkpoint is exported to.
pub fn exported(checkpoint: &Path, precision: Precision) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        name: "tiny".to_owned(),
        precision,
        ..Options::default()
    };
    export::export(checkpoint, directory.path(), &options).unwrap();
    directory
}

/// A copy of some of a fixture's files, to be changed.
pub fn copy_of(fixture: &str, files: &[&str]) -> tempfile::TempDir {
    let source = golden::path(&format!("fixtures/{fixture}"));
    let target = tempfile::tempdir().unwrap();
    copy_into(target.path(), &source, files);
    target
}

/// Copies files of one directory into another, making folders as needed.
pub fn copy_into(target: &Path, source: &Path, files: &[&str]) {
    for file in files {
        let to = target.join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(source.join(file), to).unwrap();
    }
}
