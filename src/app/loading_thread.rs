//! The thread that loads the model while the listener is already open.

use std::thread::Builder;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::service::{Loaded, Service};

/// Name of the thread that loads the model.
const LOADER_NAME: &str = "loader";

/// Why a model cannot be loaded.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Runs `load` on its own thread and fills `service` with the loaded model; the receiver gets the outcome.
pub fn load_in_background<L, E>(
    service: Service,
    load: L,
) -> std::io::Result<oneshot::Receiver<Result<(), Cause>>>
where
    L: FnOnce() -> Result<Loaded, E> + Send + 'static,
    E: Into<Cause>,
{
    let (sender, receiver) = oneshot::channel();
    Builder::new().name(LOADER_NAME.to_owned()).spawn(move || {
        let begin = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(load))
            .map_err(|_| Cause::from("loading panicked"))
            .and_then(|loaded| loaded.map_err(Into::into))
            .map(|loaded| {
                log::info!(
                    "ready model={} precision={} load_ms={}",
                    loaded.model.name,
                    loaded.model.precision,
                    begin.elapsed().as_millis(),
                );
                service.fill(loaded);
            });
        // The receiver is dropped when the program stops.
        let _ = sender.send(outcome);
    })?;
    Ok(receiver)
}
