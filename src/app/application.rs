//! Start and end of the server.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::{System, spawn};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinError;
use tokio::time::timeout;

use super::signals::Signals;
use crate::config::Settings;
use crate::http;
use crate::jobs::Jobs;
use crate::service::{Limits, Loaded, Service, with_causes};

/// Name of the thread that loads the model.
const LOADER_NAME: &str = "loader";

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refuses the signal handlers.
    #[error("cannot install the signal handlers")]
    Signals(#[source] std::io::Error),
    /// The address is taken, unknown or not allowed.
    #[error("cannot listen on {host}:{port}{}", and(*health_port))]
    Listen {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The second port.
        health_port: Option<u16>,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system refuses a thread.
    #[error("cannot start to load the model")]
    Load(#[source] std::io::Error),
}

fn and(health_port: Option<u16>) -> String {
    health_port.map_or_else(String::new, |port| format!(" and {port}"))
}

/// A server that listens, and whose model is loading or loaded.
pub struct Application {
    signals: Signals,
    stop: Arc<Notify>,
    port: u16,
    health_port: Option<u16>,
    grace: Duration,
    service: Service,
    jobs: Jobs,
    server: Server,
    load_failure: oneshot::Receiver<Cause>,
}

/// Stops an application as a signal does.
#[derive(Clone)]
pub struct Stopper(Arc<Notify>);

impl Stopper {
    /// Asks the application to end.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// Why an application ends.
enum End {
    Asked(&'static str),
    NotLoaded(Cause),
    Broken(Result<std::io::Result<()>, JoinError>),
}

/// Builds an application on a runtime of its own and runs it; gives the exit code of the process.
pub fn serve<L, E>(settings: &Settings, load: L) -> Result<ExitCode, Error>
where
    L: FnOnce() -> Result<Loaded, E> + Send + 'static,
    E: Into<Cause>,
{
    System::new().block_on(async {
        let application = Application::build(settings, load).await?;
        Ok(application.run_until_stopped().await)
    })
}

impl Application {
    /// Listens, answers from then on, and runs `load` on a thread behind it.
    ///
    /// Port 0 lets the system choose; see [`Application::port`].
    pub async fn build<L, E>(settings: &Settings, load: L) -> Result<Self, Error>
    where
        L: FnOnce() -> Result<Loaded, E> + Send + 'static,
        E: Into<Cause>,
    {
        let signals = Signals::install().map_err(Error::Signals)?;
        let service = Service::new(Limits::from(settings));
        let jobs = Jobs::new(service.clone(), &settings.jobs);
        let http::Listening {
            server,
            address,
            health_address,
        } = http::listen(&service, &jobs, settings).map_err(|source| Error::Listen {
            host: settings.server.host.clone(),
            port: settings.server.port,
            health_port: settings.server.health_port,
            source,
        })?;
        if let Some(health) = health_address {
            log::info!("listening health={health}");
        }
        log::info!("listening address={address}");
        let load_failure = load_behind(service.clone(), load).map_err(Error::Load)?;
        Ok(Self {
            signals,
            stop: Arc::default(),
            port: address.port(),
            health_port: health_address.map(|address| address.port()),
            grace: settings.server.shutdown_grace(),
            service,
            jobs,
            server,
            load_failure,
        })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The second port it listens on, where there is one.
    pub fn health_port(&self) -> Option<u16> {
        self.health_port
    }

    /// What stops it, besides a signal.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.stop))
    }

    /// Serves until a signal, the stopper, or a model that cannot be loaded ends it, and gives the exit code.
    pub async fn run_until_stopped(mut self) -> ExitCode {
        let handle = self.server.handle();
        let mut server = spawn(self.server);
        let end = tokio::select! {
            signal = self.signals.next() => End::Asked(signal),
            () = self.stop.notified() => End::Asked("request"),
            // The sender is dropped without a word when the model is loaded.
            Ok(cause) = &mut self.load_failure => End::NotLoaded(cause),
            outcome = &mut server => End::Broken(outcome),
        };
        match end {
            End::Asked(by) => {
                log::info!("stopping by={by} grace_seconds={}", self.grace.as_secs());
                let finished = finish(&handle, &self.service, &self.jobs, &mut self.load_failure);
                tokio::select! {
                    outcome = timeout(self.grace, finished) => if outcome.is_err() {
                        log::warn!("the grace is over; what still runs ends with the process");
                    },
                    // What still runs ends with the process.
                    signal = self.signals.next() => log::warn!("stopping at once by={signal}"),
                }
                log::info!("stopped");
                ExitCode::SUCCESS
            }
            End::NotLoaded(cause) => {
                let causes = with_causes(cause.as_ref());
                log::error!("the model cannot be loaded: {causes}");
                handle.stop(false).await;
                ExitCode::FAILURE
            }
            End::Broken(outcome) => {
                log::error!("the server ended by itself: {outcome:?}");
                ExitCode::FAILURE
            }
        }
    }
}

/// Lets the running requests end, then the jobs that go on, then the engine.
async fn finish(
    handle: &ServerHandle,
    service: &Service,
    jobs: &Jobs,
    load: &mut oneshot::Receiver<Cause>,
) {
    service.announce_stop();
    // A process that ends while ONNX Runtime loads a model crashes: its libraries are taken down under the loader. The
    // sender is dropped without a word when the model is loaded, and then the receiver has ended already.
    let loaded = async {
        if !load.is_terminated() {
            let _ = load.await;
        }
    };
    tokio::join!(handle.stop(true), loaded);
    jobs.settle().await;
    if let Some(engine) = service.engine().cloned() {
        // A plain thread: the runtime would wait for one of its own, however long the running batch takes.
        let (stopped, end) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            engine.stop();
            drop(stopped);
        });
        // The sender is dropped without a word.
        let _ = end.await;
    }
}

/// Runs `load` on a thread of its own, whose failure arrives in the receiver.
fn load_behind<L, E>(service: Service, load: L) -> std::io::Result<oneshot::Receiver<Cause>>
where
    L: FnOnce() -> Result<Loaded, E> + Send + 'static,
    E: Into<Cause>,
{
    let (failure, receiver) = oneshot::channel();
    Builder::new().name(LOADER_NAME.to_owned()).spawn(move || {
        let begin = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(load));
        match outcome.map(|loaded| loaded.map_err(Into::into)) {
            Ok(Ok(loaded)) => {
                log::info!(
                    "ready model={} precision={} load_ms={}",
                    loaded.model.name,
                    loaded.model.precision,
                    begin.elapsed().as_millis(),
                );
                service.fill(loaded);
            }
            Ok(Err(cause)) => report(failure, cause),
            Err(_) => report(failure, "loading panicked".into()),
        }
    })?;
    Ok(receiver)
}

fn report(failure: oneshot::Sender<Cause>, cause: Cause) {
    // Nobody listens any more only when the program ends anyway.
    let _ = failure.send(cause);
}
