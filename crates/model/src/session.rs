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

use crate::error::Error;
use crate::graph_check::Origin;
use crate::operators;

/// How long a thread waits awake for the next node: about as long as waking up takes. Measured with 12 tokens in int8:
/// 15 % faster than sleeping at once; with a foreign program on one of two cores, 35 % slower.
const SPIN_MICROSECONDS: (&str, &str) = ("session.intra_op.spin_duration_us", "50");

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

/// Builds a session over the graph at `path`, run by `threads` threads that sleep between runs. Only a graph of our own,
/// which has passed its check, gets our operators.
pub fn open(
    environment: &Environment,
    path: &Path,
    origin: Origin,
    threads: NonZeroUsize,
) -> Result<Session, Error> {
    let failed = |source| Error::Session {
        path: path.to_owned(),
        source,
    };
    options(environment, origin, threads)
        .map_err(failed)?
        .commit_from_file(path)
        .map_err(failed)
}

fn options(
    environment: &Environment,
    origin: Origin,
    threads: NonZeroUsize,
) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(environment)?
        .with_intra_threads(threads.get())?
        .with_inter_threads(1)?
        // Between two nodes of a run a thread waits awake, since waking up costs more than most nodes; but not for long,
        // and never between two runs, when tokenization and HTTP want the cores.
        .with_intra_op_spinning(true)?
        .with_config_entry(SPIN_MICROSECONDS.0, SPIN_MICROSECONDS.1)?
        .with_config_entry("session.force_spinning_stop", "1")?
        // Halves the time that another exporter's graph takes to load; ours have nothing to pack.
        .with_config_entry("session.prepack.enable_parallel", "1")?
        .with_optimization_level(GraphOptimizationLevel::Level1)?
        // Every batch has its own sizes, so a pattern of allocations remembered from the last one only costs memory.
        .with_memory_pattern(false)?;
    match origin {
        Origin::Own => Ok(builder.with_operators(operators::domain()?)?),
        Origin::Foreign => Ok(builder),
    }
}
