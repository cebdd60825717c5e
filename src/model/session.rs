//! ONNX Runtime: the shared library, loaded once, and sessions on it.
//!
//! The library is process-global. Its environment lives as long as any session does; a second library path in the same
//! process is ignored by ONNX Runtime's loader, so the first one given counts.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::{Error, kernels};

static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Loads ONNX Runtime from `library`, unless this process already has.
pub fn load_runtime(library: &Path) -> Result<Environment, Error> {
    let mut slot = ENVIRONMENT
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(environment) = slot.as_ref() {
        return Ok(environment.clone());
    }
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Runtime {
        path: library.to_owned(),
        source,
    };
    let environment = ort::init_from(library)
        .map_err(|source| failed(source.into()))?
        .with_name("runpod-query")
        .with_telemetry(false)
        .build()
        .map_err(|source| failed(source.into()))?;
    *slot = Some(environment.clone());
    Ok(environment)
}

/// Builds a session over the graph at `path`, run by `threads` threads that sleep between runs.
pub fn open(
    environment: &Environment,
    path: &Path,
    threads: NonZeroUsize,
) -> Result<Session, Error> {
    let failed = |source| Error::Session {
        path: path.to_owned(),
        source,
    };
    options(environment, threads)
        .map_err(failed)?
        .commit_from_file(path)
        .map_err(failed)
}

fn options(environment: &Environment, threads: NonZeroUsize) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(environment)?
        .with_intra_threads(threads.get())?
        .with_inter_threads(1)?
        // A spinning pool would steal the cores from tokenization and HTTP between two runs.
        .with_intra_op_spinning(false)?
        .with_optimization_level(GraphOptimizationLevel::Level1)?
        // Every batch has its own sizes, so a pattern of allocations remembered from the last one only costs memory.
        .with_memory_pattern(false)?
        .with_operators(kernels::domain()?)?;
    Ok(builder)
}
