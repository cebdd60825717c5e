//! Loads ONNX Runtime and the model that the settings name, after downloading and exporting what is missing, and runs the
//! model once as a warm-up.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::{Failure, print_line};
use crate::artifacts::{ResolvedModel, Store};
use crate::config::Settings;
use crate::service::with_causes;
use model::Environment;
use model::export::{self, Options};
use model::{
    DESCRIPTION_FILE, Encoder, ModelDirectory, Precision, QualityReport, Tokenizer, load_runtime,
};

/// A model that is ready to encode.
pub struct LoadedModel {
    /// Converts texts to tokens.
    pub tokenizer: Tokenizer,
    /// Converts tokens to embeddings.
    pub encoder: Encoder,
    /// The measured quality of its embeddings, if any.
    pub quality: Option<QualityReport>,
}

/// `fetch`: downloads and exports the newest commit of the model into the cache, and prints the model directory.
pub fn fetch(settings: &Settings) -> Result<(), Failure> {
    let store = Store::open(&settings.artifacts)?;
    let (model, before) = store.renew(&settings.model.name)?;
    let directory = exported_model(settings, &store, &model)?;
    let (name, commit) = (model.asked_name(), &model.pin.revision);
    match before {
        Some(before) if before == *commit => log::info!("{name} is still at commit {commit}"),
        Some(before) => log::info!("{name}: commit {before} -> {commit}"),
        None => log::info!("{name} is at commit {commit}"),
    }
    print_line(directory.path.display())?;
    Ok(())
}

/// `pin`: prints the model's files in the form of `nix/pins.json`. It downloads no weights.
pub fn pin(settings: &Settings) -> Result<(), Failure> {
    let model = Store::open(&settings.artifacts)?.model(&settings.model.name)?;
    print_line(serde_json::to_string_pretty(&model.pin)?)?;
    Ok(())
}

/// Loads ONNX Runtime, downloading its library if it is missing.
pub fn runtime(settings: &Settings) -> Result<Environment, Failure> {
    let library = Store::open(&settings.artifacts)?.runtime_library()?;
    Ok(load_runtime(&library)?)
}

/// The model directory that the settings name: an existing one, which has the precision that they ask for, or the model's in
/// the cache.
pub fn model_directory(settings: &Settings) -> Result<ModelDirectory, Failure> {
    let asked = settings.model.precision;
    if let Some(path) = &settings.model.directory {
        let path = &in_precision(path, asked)?;
        let directory = ModelDirectory::open_pooled(path, settings.model.pooling)?;
        let found = directory.description.precision;
        return match asked.filter(|asked| *asked != found) {
            Some(asked) => Err(format!(
                "model.precision is {asked}, but the model in {} is {found}",
                path.display()
            )
            .into()),
            None => Ok(directory),
        };
    }
    let store = Store::open(&settings.artifacts)?;
    let model = store.model(&settings.model.name)?;
    exported_model(settings, &store, &model)
}

/// The model directory at `path`. If that is a folder of model directories, each called by its precision, it is the one that
/// is asked for, else the default's, else the first.
fn in_precision(path: &Path, asked: Option<Precision>) -> Result<PathBuf, Failure> {
    let folder = |precision: &Precision| path.join(precision.to_string());
    let held: Vec<Precision> = Precision::ALL
        .into_iter()
        .filter(|precision| folder(precision).join(DESCRIPTION_FILE).is_file())
        .collect();
    let Some(first) = held.first() else {
        return Ok(path.to_owned());
    };
    match asked {
        Some(asked) if !held.contains(&asked) => {
            let held: Vec<String> = held.iter().map(Precision::to_string).collect();
            Err(format!(
                "model.precision is {asked}, but {} holds {}",
                path.display(),
                held.join(" and ")
            )
            .into())
        }
        Some(asked) => Ok(folder(&asked)),
        None if held.contains(&Precision::default()) => Ok(folder(&Precision::default())),
        None => Ok(folder(first)),
    }
}

/// The model's directory in the cache. Once it exists, its pin is kept.
fn exported_model(
    settings: &Settings,
    store: &Store,
    model: &ResolvedModel,
) -> Result<ModelDirectory, Failure> {
    let precision = settings.model.precision.unwrap_or_default();
    let folder = model.folder_of(&precision.to_string());
    let pooling = settings.model.pooling;
    // A model whose files leave its pooling open has an export for each.
    let asked = pooling.map_or_else(String::new, |pooling| format!("-{pooling}"));
    let key = format!("models/{folder}{asked}-{}", export::FORMAT);
    let options = Options {
        name: model.name.clone(),
        revision: Some(model.pin.revision.clone()),
        precision,
        pooling,
    };
    let directory = exported(settings, store, &key, &options, || {
        Ok(store.checkpoint_of(model)?)
    })?;
    store.keep(model)?;
    Ok(directory)
}

/// The model directory `key` of the cache, exported from `checkpoint` if it is missing.
pub fn exported(
    settings: &Settings,
    store: &Store,
    key: &str,
    options: &Options,
    checkpoint: impl FnOnce() -> Result<PathBuf, Failure>,
) -> Result<ModelDirectory, Failure> {
    let path = store.populate(key, |target| -> Result<(), Failure> {
        let checkpoint = checkpoint()?;
        log::info!("exporting {} in {}", options.name, options.precision);
        export::export_and_check(&checkpoint, target, options, &runtime(settings)?)?;
        Ok(())
    })?;
    Ok(ModelDirectory::open_pooled(&path, options.pooling)?)
}

/// Loads the model and runs it once, so that the first request is not slower than later ones.
pub fn load(settings: &Settings) -> Result<LoadedModel, Failure> {
    let directory = model_directory(settings)?;
    let instructions = directory.description.precision.instruction_set();
    log::info!("matrices are multiplied with {instructions}");
    // In parallel: bge-m3's tokenizer takes about as long to load as everything else.
    let (tokenizer, encoder) = std::thread::scope(|scope| {
        let tokenizer = scope.spawn(|| directory.load_tokenizer());
        let encoder = warm_encoder(settings, &directory);
        (tokenizer.join(), encoder)
    });
    Ok(LoadedModel {
        tokenizer: tokenizer.map_err(|_| "loading the tokenizer panicked")??,
        encoder: encoder?,
        quality: quality(&directory),
    })
}

fn warm_encoder(settings: &Settings, directory: &ModelDirectory) -> Result<Encoder, Failure> {
    let threads = settings.engine.threads.unwrap_or_else(available_threads);
    let mut encoder = Encoder::load(&runtime(settings)?, directory, threads)?;
    encoder.warm_up()?;
    Ok(encoder)
}

/// The quality report in the model directory. A model without one can be served too.
fn quality(directory: &ModelDirectory) -> Option<QualityReport> {
    QualityReport::read(directory).unwrap_or_else(|error| {
        log::warn!(
            "the model's quality report cannot be read: {}",
            with_causes(&error)
        );
        None
    })
}

/// The container's CPU quota, in threads.
fn available_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
