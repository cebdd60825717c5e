//! `serve`, `openapi` and `health`: the service, its description and its health check.
//!
//! `health` exists so that an image needs neither a shell nor curl for its health check.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::load_model::{self, LoadedModel};
use super::{Failure, arguments, print_line};
use crate::app::{self, ExitCode};
use crate::artifacts::repository_of;
use crate::config::Settings;
use crate::engine::Engine;
use crate::http;
use crate::runpod::ProtocolDurations;
use crate::service::{Loaded, ModelInfo};

/// Longest time that `health` waits for an answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// Serves until a signal stops it.
pub fn serve(settings: Settings, durations: ProtocolDurations) -> Result<ExitCode, Failure> {
    let loading = settings.clone();
    Ok(app::serve(&settings, durations, move || load(&loading))?)
}

/// Prints the OpenAPI document.
pub fn openapi(settings: &Settings) -> Result<(), Failure> {
    let texts = settings.limits.texts_per_call.get();
    print_line(http::openapi(texts).to_pretty_json()?)?;
    Ok(())
}

/// Loads the model and starts its engine.
pub fn load(settings: &Settings) -> Result<Loaded, Failure> {
    let LoadedModel {
        tokenizer,
        encoder,
        quality,
    } = load_model::load(settings)?;
    let description = encoder.description();
    let model = ModelInfo {
        name: description.name.clone(),
        repository: repository_of(&description.name),
        aliases: settings.model.aliases.clone(),
        revision: description.revision.clone(),
        precision: description.precision.to_string(),
        dimensions: description.dimensions.get(),
        outputs: description.outputs(),
        colbert_dimensions: description.colbert_dimensions().map(NonZeroUsize::get),
        max_tokens: description.max_tokens.get(),
        quality: quality.map(Into::into),
    };
    let engine = Engine::spawn(encoder, Arc::new(tokenizer), &settings.engine)?;
    Ok(Loaded { engine, model })
}

/// Succeeds if the server is ready.
pub fn health(settings: &Settings, arguments: &arguments::Health) -> Result<(), Failure> {
    let own = || format!("http://127.0.0.1:{}", settings.server.port);
    let base = arguments.url.clone().unwrap_or_else(own);
    let url = format!("{}/ping", base.trim_end_matches('/'));
    // A proxy cannot reach a server on this machine.
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .timeout(HEALTH_TIMEOUT)
        .build()?;
    let status = client.get(&url).send()?.status();
    match status {
        reqwest::StatusCode::OK => {
            print_line("ready")?;
            Ok(())
        }
        reqwest::StatusCode::NO_CONTENT => Err(format!("{url}: the model is still loading").into()),
        other => Err(format!("{url} answers {other}").into()),
    }
}
