//! `serve` and `openapi`: the service, and its description.

use std::process::ExitCode;
use std::sync::Arc;

use super::prepare::{self, LoadedModel};
use super::{Failure, print};
use crate::app;
use crate::artifacts::Pins;
use crate::config::Settings;
use crate::engine::Engine;
use crate::http;
use crate::runpod::Timings;
use crate::service::{Loaded, ModelInfo};

/// Serves until a signal ends it.
pub fn serve(settings: Settings, timings: Timings) -> Result<ExitCode, Failure> {
    let behind = settings.clone();
    Ok(app::serve(&settings, timings, move || load(&behind))?)
}

/// Prints the OpenAPI document as it is checked in.
pub fn openapi() -> Result<ExitCode, Failure> {
    print::line(http::openapi().to_pretty_json()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Loads what the service serves.
pub fn load(settings: &Settings) -> Result<Loaded, Failure> {
    let LoadedModel {
        tokenizer,
        encoder,
        quality,
    } = prepare::load(settings)?;
    let description = encoder.description();
    let model = ModelInfo {
        name: description.name.clone(),
        repository: Pins::get()
            .model(&description.name)
            .ok()
            .map(|pin| pin.repository.clone()),
        revision: description.revision.clone(),
        precision: description.precision.to_string(),
        dimensions: description.dimensions.get(),
        max_tokens: description.max_tokens.get(),
        quality: quality.map(Into::into),
    };
    let engine = Engine::spawn(encoder, Arc::new(tokenizer), &settings.engine)?;
    Ok(Loaded { engine, model })
}
