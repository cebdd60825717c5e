//! The thread that loads the model behind the listener.

use std::thread::Builder;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::service::{Loaded, Service};

/// Name of the thread that loads the model.
const LOADER_NAME: &str = "loader";

/// Why a model cannot be loaded.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Runs `load` on a thread of its own, whose outcome arrives in the receiver.
pub fn load_behind<L, E>(
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
        // Nobody listens any more only when the program ends anyway.
        let _ = sender.send(outcome);
    })?;
    Ok(receiver)
}

/// A process that ends while ONNX Runtime loads a model crashes: its libraries are taken down under the loader.
pub async fn end_of_loading(loaded: &mut oneshot::Receiver<Result<(), Cause>>) {
    if !loaded.is_terminated() {
        // Whether it went well is of no interest any more.
        let _ = loaded.await;
    }
}
