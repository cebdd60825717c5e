//! Which files of a repository are downloaded.
//!
//! Owns the names of a checkpoint's files. Invariants: only what the exporter reads is downloaded, and no pickle but the heads',
//! which the exporter reads without running them; every path is one that the hub lists, and lies inside the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Error, RepositoryError};

/// A checkpoint cannot be exported without these.
const REQUIRED: [&str; 2] = ["config.json", "tokenizer.json"];
/// These are read where they exist.
const OPTIONAL: [&str; 2] = ["tokenizer_config.json", "config_sentence_transformers.json"];
/// The modules of SentenceTransformer, each with a folder.
const MODULES: &str = "modules.json";
/// The configuration in a module's folder.
const MODULE_CONFIG: &str = "config.json";
/// Weights in one file.
const WEIGHTS: &str = "model.safetensors";
/// Weights in several files, the shards, which it names.
const WEIGHTS_INDEX: &str = "model.safetensors.index.json";
const WEIGHTS_SUFFIX: &str = ".safetensors";
/// The heads: pickles that the exporter reads without running them.
const HEADS: [&str; 2] = ["sparse_linear.pt", "colbert_linear.pt"];
/// What an adapter has, whose weights are of use only with those of another model.
const ADAPTER: &str = "adapter_config.json";
/// Endings of pickles.
const PICKLES: [&str; 5] = [".bin", ".pt", ".pth", ".ckpt", ".pkl"];

/// A repository at one commit.
pub(super) trait Repository {
    /// `owner/name`.
    fn name(&self) -> &str;
    /// The commit.
    fn commit(&self) -> &str;
    /// The paths of all files.
    fn paths(&self) -> BTreeSet<String>;
    /// The content of a small file.
    fn read(&mut self, path: &str) -> Result<&[u8], Error>;
}

#[derive(Deserialize)]
struct Module {
    path: String,
}

#[derive(Deserialize)]
struct WeightsIndex {
    weight_map: BTreeMap<String, String>,
}

/// The paths of the files that are needed.
pub(super) fn choose(repository: &mut impl Repository) -> Result<BTreeSet<String>, Error> {
    let listed = repository.paths();
    if listed.contains(ADAPTER) {
        return Err(RepositoryError::Adapter {
            repository: repository.name().to_owned(),
            commit: repository.commit().to_owned(),
        }
        .into());
    }
    let mut wanted = BTreeSet::new();
    for path in REQUIRED {
        wanted.insert(listed_path(path, &listed, repository)?);
    }
    wanted.extend(
        listed
            .iter()
            .filter(|path| is_optional(path) || is_token_limit(path))
            .cloned(),
    );
    if listed.contains(MODULES) {
        wanted.insert(MODULES.to_owned());
        wanted.extend(module_configs(repository, &listed)?);
    }
    wanted.extend(weights(repository, &listed)?);
    Ok(wanted)
}

fn is_optional(path: &str) -> bool {
    OPTIONAL.contains(&path) || HEADS.contains(&path)
}

/// `sentence_bert_config.json` and its siblings for other architectures.
fn is_token_limit(path: &str) -> bool {
    path.starts_with("sentence_") && path.ends_with("_config.json") && !path.contains('/')
}

fn module_configs(
    repository: &mut impl Repository,
    listed: &BTreeSet<String>,
) -> Result<Vec<String>, Error> {
    let modules: Vec<Module> = parse(repository, MODULES)?;
    let mut configs = Vec::new();
    for Module { path } in modules {
        check_inside(MODULES, &path)?;
        let config = format!("{}/{MODULE_CONFIG}", path.trim_end_matches('/'));
        if listed.contains(&config) {
            configs.push(config);
        }
    }
    Ok(configs)
}

fn weights(
    repository: &mut impl Repository,
    listed: &BTreeSet<String>,
) -> Result<Vec<String>, Error> {
    if listed.contains(WEIGHTS) {
        return Ok(vec![WEIGHTS.to_owned()]);
    }
    if !listed.contains(WEIGHTS_INDEX) {
        return Err(without_weights(repository, listed));
    }
    let index: WeightsIndex = parse(repository, WEIGHTS_INDEX)?;
    let shards: BTreeSet<String> = index.weight_map.into_values().collect();
    let mut wanted = vec![WEIGHTS_INDEX.to_owned()];
    for shard in shards {
        check_inside(WEIGHTS_INDEX, &shard)?;
        if !shard.ends_with(WEIGHTS_SUFFIX) {
            return Err(path_error(WEIGHTS_INDEX, &shard));
        }
        wanted.push(listed_path(&shard, listed, repository)?);
    }
    Ok(wanted)
}

fn without_weights(repository: &impl Repository, listed: &BTreeSet<String>) -> Error {
    let is_pickle = |path: &&String| {
        PICKLES.iter().any(|ending| path.ends_with(ending)) && !HEADS.contains(&path.as_str())
    };
    let (name, commit) = (repository.name().to_owned(), repository.commit().to_owned());
    match listed.iter().find(is_pickle) {
        Some(pickle) => RepositoryError::OnlyPickle {
            repository: name,
            commit,
            pickle: pickle.clone(),
        },
        None => RepositoryError::Lacks {
            repository: name,
            commit,
            file: WEIGHTS.to_owned(),
        },
    }
    .into()
}

fn listed_path(
    path: &str,
    listed: &BTreeSet<String>,
    repository: &impl Repository,
) -> Result<String, Error> {
    listed.get(path).cloned().ok_or_else(|| {
        RepositoryError::Lacks {
            repository: repository.name().to_owned(),
            commit: repository.commit().to_owned(),
            file: path.to_owned(),
        }
        .into()
    })
}

/// A path in a file may be empty, which is the repository's own folder.
fn check_inside(file: &str, path: &str) -> Result<(), Error> {
    let is_inside = Path::new(path)
        .components()
        .all(|component| matches!(component, Component::Normal(_)));
    is_inside
        .then_some(())
        .ok_or_else(|| path_error(file, path))
}

fn path_error(file: &str, path: &str) -> Error {
    RepositoryError::Path {
        file: file.to_owned(),
        path: path.to_owned(),
    }
    .into()
}

fn parse<T: DeserializeOwned>(repository: &mut impl Repository, path: &str) -> Result<T, Error> {
    let file = format!("{}/{path}", repository.name());
    serde_json::from_slice(repository.read(path)?)
        .map_err(|source| RepositoryError::Form { file, source }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOLING: &str = "1_Pooling/config.json";

    /// Files with their contents.
    struct Files(BTreeMap<&'static str, String>);

    impl Files {
        fn new(paths: &[&'static str]) -> Self {
            Self(paths.iter().map(|&path| (path, String::new())).collect())
        }

        fn with(mut self, path: &'static str, content: &str) -> Self {
            self.0.insert(path, content.to_owned());
            self
        }
    }

    impl Repository for Files {
        fn name(&self) -> &'static str {
            "acme/model"
        }

        fn commit(&self) -> &'static str {
            "c0ffee"
        }

        fn paths(&self) -> BTreeSet<String> {
            self.0.keys().map(|&path| path.to_owned()).collect()
        }

        fn read(&mut self, path: &str) -> Result<&[u8], Error> {
            Ok(self.0[path].as_bytes())
        }
    }

    #[test]
    fn only_what_the_exporter_reads_is_wanted() {
        let needed = [
            POOLING,
            "config.json",
            "config_sentence_transformers.json",
            "model.safetensors",
            "modules.json",
            "sentence_xlm-roberta_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ];
        let unneeded = [
            "README.md",
            "2_Normalize/notes.txt",
            "onnx/config.json",
            "onnx/model.onnx",
            "openvino/sentence_bert_config.json",
            "pytorch_model.bin",
            "vocab.txt",
        ];
        let mut files = Files::new(&[needed.as_slice(), unneeded.as_slice()].concat()).with(
            "modules.json",
            r#"[{"path":""},{"path":"1_Pooling"},{"path":"2_Normalize"}]"#,
        );
        assert!(choose(&mut files).unwrap().iter().eq(&needed));
    }

    #[test]
    fn the_shards_that_the_index_names_are_wanted() {
        let index = r#"{"metadata":{},"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-1.safetensors"}}"#;
        let mut files = Files::new(&[
            "config.json",
            "model-1.safetensors",
            "model-2.safetensors",
            "other.safetensors",
            "tokenizer.json",
        ])
        .with(WEIGHTS_INDEX, index);
        let wanted = choose(&mut files).unwrap();
        assert_eq!(wanted.len(), 5);
        assert!(!wanted.contains("other.safetensors"));
    }

    #[test]
    fn a_missing_file_is_named() {
        for (paths, named) in [
            (&["config.json", "model.safetensors"][..], "tokenizer.json"),
            (&["tokenizer.json", "model.safetensors"], "config.json"),
            (&["config.json", "tokenizer.json"], "model.safetensors"),
            (
                &["config.json", "tokenizer.json", "pytorch_model.bin"],
                "pytorch_model.bin",
            ),
        ] {
            let error = choose(&mut Files::new(paths)).unwrap_err().to_string();
            for words in ["acme/model", "c0ffee", named, "runpod-query export"] {
                assert!(error.contains(words), "{words}: {error}");
            }
        }
    }

    #[test]
    fn no_path_leads_out_of_the_repository_or_to_a_pickle() {
        let base = || Files::new(&["config.json", "tokenizer.json", "x.bin"]);
        for path in ["../x", "/x", "a/../../x"] {
            let modules = format!(r#"[{{"path":"{path}"}}]"#);
            let error = choose(&mut base().with(MODULES, &modules)).unwrap_err();
            assert!(error.to_string().contains(path), "{error}");
        }
        for shard in ["../x.safetensors", "x.bin"] {
            let index = format!(r#"{{"weight_map":{{"a":"{shard}"}}}}"#);
            let error = choose(&mut base().with(WEIGHTS_INDEX, &index)).unwrap_err();
            assert!(error.to_string().contains(shard), "{error}");
        }
    }

    #[test]
    fn heads_are_wanted_and_are_no_weights() {
        let files = [
            "config.json",
            "tokenizer.json",
            "colbert_linear.pt",
            "pytorch_model.bin",
        ];
        let error = choose(&mut Files::new(&files)).unwrap_err().to_string();
        assert!(error.contains("(pytorch_model.bin)"), "{error}");
        let files = [
            "config.json",
            "tokenizer.json",
            "colbert_linear.pt",
            "model.safetensors",
        ];
        let wanted = choose(&mut Files::new(&files)).unwrap();
        assert!(wanted.contains("colbert_linear.pt"), "{wanted:?}");
    }

    #[test]
    fn an_adapter_is_refused_even_beside_whole_weights() {
        let files = [
            "config.json",
            "tokenizer.json",
            "model.safetensors",
            ADAPTER,
        ];
        let error = choose(&mut Files::new(&files)).unwrap_err().to_string();
        assert!(error.contains("holds an adapter"), "{error}");
    }
}
