//! Start and end of the server.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::{System, spawn};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::loader::{Cause, end_of_loading, load_behind};
use super::queue::Queue;
use super::signals::Signals;
use crate::config::Settings;
use crate::http::{self, Jobs};
use crate::jobs::Gauge;
use crate::runpod::{self, Timings};
use crate::service::{Loaded, RequestLimits, Service, with_causes};

/// The part of the grace during which the listener stays open for those who wait.
const LISTENING: u32 = 2;

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
    /// The settings of the queue cannot be used.
    #[error("cannot work for the queue")]
    Queue(#[from] runpod::Error),
}

fn and(health_port: Option<u16>) -> String {
    health_port.map_or_else(String::new, |port| format!(" and {port}"))
}

/// A server that listens, and whose model is loading or loaded.
pub struct Application {
    signals: Signals,
    /// Whether there is still time to wait for what runs.
    patience: Arc<AtomicBool>,
    stop: Arc<Notify>,
    port: u16,
    health_port: Option<u16>,
    grace: Duration,
    service: Service,
    jobs: Jobs,
    running: Gauge,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    queue: Queue,
    loaded: oneshot::Receiver<Result<(), Cause>>,
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
    Broken(String),
}

/// Builds an application on a runtime of its own and runs it; gives the exit code of the process.
pub fn serve<L, E>(settings: &Settings, timings: Timings, load: L) -> Result<ExitCode, Error>
where
    L: FnOnce() -> Result<Loaded, E> + Send + 'static,
    E: Into<Cause>,
{
    let system = System::new();
    let outcome = system.block_on(async {
        let application = Application::build(settings, timings, load).await?;
        let patience = application.patience.clone();
        let code = application.run_until_stopped().await;
        Ok((code, patience.load(Ordering::Relaxed)))
    });
    // To drop the runtime is to wait until its blocking threads are through, however long a text is that one of them
    // splits: who asked for an end at once would not get it. Everybody else waits, because a process whose threads still
    // end while it does may crash in the libraries that are taken down under them.
    if let Ok((_, false)) = outcome {
        std::mem::forget(system);
    }
    outcome.map(|(code, _)| code)
}

impl Application {
    /// Listens, answers from then on, and runs `load` on a thread behind it.
    ///
    /// Port 0 lets the system choose; see [`Application::port`].
    pub async fn build<L, E>(settings: &Settings, timings: Timings, load: L) -> Result<Self, Error>
    where
        L: FnOnce() -> Result<Loaded, E> + Send + 'static,
        E: Into<Cause>,
    {
        let signals = Signals::install().map_err(Error::Signals)?;
        let service = Service::new(RequestLimits::from(settings));
        let queue = Queue::new(settings, timings, &service)?;
        let jobs = Jobs::new(service.clone(), &settings.jobs);
        let http::Listening {
            server,
            address,
            health_address,
            running,
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
        let loaded = load_behind(service.clone(), load).map_err(Error::Load)?;
        Ok(Self {
            signals,
            patience: Arc::new(AtomicBool::new(true)),
            stop: Arc::default(),
            port: address.port(),
            health_port: health_address.map(|address| address.port()),
            grace: settings.server.shutdown_grace(),
            service,
            jobs,
            running,
            handle: server.handle(),
            server: spawn(server),
            queue,
            loaded,
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
        match self.end().await {
            End::Asked(by) => {
                log::info!("stopping by={by} grace_seconds={}", self.grace.as_secs());
                self.finish_in_time().await
            }
            End::NotLoaded(cause) => {
                let causes = with_causes(cause.as_ref());
                log::error!("the model cannot be loaded: {causes}");
                self.queue.report_unhealthy(&causes).await;
                self.handle.stop(false).await;
                ExitCode::FAILURE
            }
            End::Broken(outcome) => {
                log::error!("the server ended by itself: {outcome}");
                ExitCode::FAILURE
            }
        }
    }

    async fn end(&mut self) -> End {
        let mut is_loaded = false;
        loop {
            tokio::select! {
                signal = self.signals.next() => return End::Asked(signal.name),
                () = self.stop.notified() => return End::Asked("request"),
                outcome = &mut self.loaded, if !is_loaded => match outcome {
                    Ok(Ok(())) => {
                        is_loaded = true;
                        // A job is taken only where it can be done.
                        self.queue.start();
                    }
                    Ok(Err(cause)) => return End::NotLoaded(cause),
                    Err(error) => return End::NotLoaded(error.into()),
                },
                outcome = &mut self.server => return End::Broken(format!("{outcome:?}")),
                outcome = self.queue.ended() => return End::Broken(outcome),
            }
        }
    }

    /// Lets all that runs end within the grace; a second signal ends the patience.
    async fn finish_in_time(&mut self) -> ExitCode {
        self.service.announce_stop();
        let finished = async {
            // HTTP tells of the stop for as long as the queue's jobs run, and those of callers.
            let callers = async {
                self.queue.finish().await;
                idle(&self.running, &self.jobs, self.grace).await;
                self.handle.stop(true).await;
            };
            tokio::join!(callers, end_of_loading(&mut self.loaded));
            self.jobs.settle().await;
            stop_engine(&self.service).await;
        };
        tokio::select! {
            outcome = timeout(self.grace, finished) => if outcome.is_err() {
                log::warn!("the grace is over; what still runs ends with the process");
                self.patience.store(false, Ordering::Relaxed);
            },
            // What still runs ends with the process.
            signal = self.signals.next() => {
                log::warn!("stopping at once by={}", signal.name);
                self.patience.store(false, Ordering::Relaxed);
                log_unanswered(&self.queue);
                return signal.exit_code();
            }
        }
        log::info!("stopped");
        // A job without an answer is a failure.
        match log_unanswered(&self.queue) {
            true => ExitCode::FAILURE,
            false => ExitCode::SUCCESS,
        }
    }
}

/// Waits until nobody waits for an answer. Not for the whole grace: where requests keep coming, the listener has to be
/// closed in time for the last of them to be answered.
async fn idle(running: &Gauge, jobs: &Jobs, grace: Duration) {
    let idle = async {
        running.none().await;
        jobs.settle().await;
    };
    // What still runs is waited for once more when the listener is closed.
    let _ = timeout(grace / LISTENING, idle).await;
}

async fn stop_engine(service: &Service) {
    let Some(engine) = service.engine().cloned() else {
        return;
    };
    // A plain thread: the runtime would wait for one of its own, however long the running batch takes.
    let (stopped, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        engine.stop();
        drop(stopped);
    });
    // The sender is dropped without a word.
    let _ = end.await;
}

/// Whether there are jobs without an answer.
fn log_unanswered(queue: &Queue) -> bool {
    let ids = queue.unanswered();
    ids.inspect(|ids| log::error!("not answered jobs={ids}"))
        .is_some()
}
