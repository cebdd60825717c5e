//! The server's life cycle, from startup to graceful shutdown.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::{System, spawn};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::ExitCode;
use super::loading_thread::{Cause, load_in_background};
use super::runpod_queue::RunPodQueue;
use super::signals::Signals;
use crate::config::Settings;
use crate::http::{
    self, AllowedOrigins, HealthCheckPath, InvalidHealthCheckPath, InvalidOrigin, Jobs,
};
use crate::jobs::Gauge;
use crate::runpod::{self, ProtocolDurations};
use crate::service::{Loaded, RequestLimits, Service, with_causes};

/// The listener stays open for at most the shutdown grace period divided by this number.
const LISTENER_GRACE_DIVISOR: u32 = 2;
/// Longest wait for the last answers, which say that the server is shutting down.
const LAST_ANSWERS: Duration = Duration::from_millis(500);
/// Time for writing them: a request is no longer running once its answer is on its way to the socket.
const LAST_WRITES: Duration = Duration::from_millis(100);

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The signal handlers cannot be installed.
    #[error("cannot install the signal handlers")]
    Signals(#[source] std::io::Error),
    /// The address is in use, unknown or not allowed.
    #[error("cannot listen on {host}:{port}{}", and(*health_port))]
    Listen {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The health port, if there is one.
        health_port: Option<u16>,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The probe cannot be served at the path that is set.
    #[error("cannot serve the health check")]
    HealthCheckPath(#[from] InvalidHealthCheckPath),
    /// What is set as an origin is none.
    #[error("cannot answer web pages")]
    Origins(#[from] InvalidOrigin),
    /// The thread that loads the model cannot be spawned.
    #[error("cannot start loading the model")]
    Load(#[source] std::io::Error),
    /// The settings of the RunPod queue are invalid.
    #[error("cannot use the RunPod queue")]
    Queue(#[from] runpod::Error),
}

fn and(health_port: Option<u16>) -> String {
    health_port.map_or_else(String::new, |port| format!(" and {port}"))
}

/// A server that listens while its model is loading or loaded.
pub struct Application {
    signals: Signals,
    stop: Arc<Notify>,
    port: u16,
    health_port: Option<u16>,
    grace: Duration,
    service: Service,
    jobs: Jobs,
    running: Gauge,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    queue: RunPodQueue,
    loaded: oneshot::Receiver<Result<(), Cause>>,
}

/// Stops an application in the same way as a signal.
#[derive(Clone)]
pub struct Stopper(Arc<Notify>);

impl Stopper {
    /// Asks the application to stop.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// Why an application stops.
enum StopReason {
    Requested(&'static str),
    LoadFailed(Cause),
    TaskEnded(String),
}

/// Builds an application on its own runtime and runs it; returns the exit code of the process, which must end then:
/// the threads of the application may still run.
pub fn serve<L, E>(
    settings: &Settings,
    durations: ProtocolDurations,
    load: L,
) -> Result<ExitCode, Error>
where
    L: FnOnce() -> Result<Loaded, E> + Send + 'static,
    E: Into<Cause>,
{
    // Dropping the runtime blocks until its blocking threads finish, which takes as long as tokenizing the longest text.
    let system = ManuallyDrop::new(System::new());
    system.block_on(async {
        let application = Application::build(settings, durations, load).await?;
        Ok(application.run_until_stopped().await)
    })
}

impl Application {
    /// Starts to listen and to answer requests, and runs `load` on a background thread.
    ///
    /// For port 0 the operating system chooses a port; see [`Application::port`].
    pub async fn build<L, E>(
        settings: &Settings,
        durations: ProtocolDurations,
        load: L,
    ) -> Result<Self, Error>
    where
        L: FnOnce() -> Result<Loaded, E> + Send + 'static,
        E: Into<Cause>,
    {
        let signals = Signals::install().map_err(Error::Signals)?;
        let service = Service::new(RequestLimits::of_call(settings));
        let queue = RunPodQueue::new(settings, durations, &service)?;
        let jobs = Jobs::new(service.clone(), &settings.jobs);
        let health_check_path = HealthCheckPath::new(settings.server.health_check_path.as_deref())?;
        let origins = AllowedOrigins::new(&settings.server.cors_allowed_origins)?;
        let http::Listening {
            server,
            address,
            health_address,
            running,
        } = http::listen(&service, &jobs, health_check_path, origins, settings).map_err(
            |source| Error::Listen {
                host: settings.server.host.clone(),
                port: settings.server.port,
                health_port: settings.server.health_port,
                source,
            },
        )?;
        if let Some(health) = health_address {
            log::info!("listening health={health}");
        }
        log::info!("listening address={address}");
        let loaded = load_in_background(service.clone(), load).map_err(Error::Load)?;
        Ok(Self {
            signals,
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

    /// The health port it listens on, if there is one.
    pub fn health_port(&self) -> Option<u16> {
        self.health_port
    }

    /// A handle that stops it.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.stop))
    }

    /// Serves until a signal or a [`Stopper`] stops it or a part of it fails, and returns the exit code.
    pub async fn run_until_stopped(mut self) -> ExitCode {
        match self.stop_reason().await {
            StopReason::Requested(by) => {
                log::info!("stopping by={by} grace_seconds={}", self.grace.as_secs());
                self.finish_in_time().await
            }
            StopReason::LoadFailed(cause) => {
                let causes = with_causes(cause.as_ref());
                log::error!("the model cannot be loaded: {causes}");
                self.service.announce_failure();
                self.give_up(&causes).await;
                ExitCode::FAILURE
            }
            StopReason::TaskEnded(outcome) => {
                log::error!("a server task ended unexpectedly: {outcome}");
                ExitCode::FAILURE
            }
        }
    }

    async fn stop_reason(&mut self) -> StopReason {
        let mut is_loaded = false;
        loop {
            tokio::select! {
                signal = self.signals.next() => return StopReason::Requested(signal.name),
                () = self.stop.notified() => return StopReason::Requested("request"),
                outcome = &mut self.loaded, if !is_loaded => match outcome {
                    Ok(Ok(())) => {
                        is_loaded = true;
                        // No job is taken before the model can run it.
                        self.queue.start();
                    }
                    Ok(Err(cause)) => return StopReason::LoadFailed(cause),
                    Err(error) => return StopReason::LoadFailed(error.into()),
                },
                outcome = &mut self.server => return StopReason::TaskEnded(format!("{outcome:?}")),
                outcome = self.queue.ended() => return StopReason::TaskEnded(outcome),
            }
        }
    }

    /// Fails the queue's waiting jobs. A signal closes the open take, and ends the rest after the grace period or at a second
    /// signal.
    async fn give_up(&mut self, causes: &str) {
        let stopped = async {
            let signal = self.signals.next().await;
            log::info!("stopping by={}", signal.name);
            self.queue.stop();
            let _ = timeout(self.grace, self.signals.next()).await;
        };
        tokio::select! {
            () = self.queue.give_up(causes) => {}
            () = stopped => {}
        }
        log_unanswered(&self.queue);
    }

    /// Waits up to the grace period for running work to finish; a second signal abandons that work. The threads that
    /// load and run the model are not waited for: nobody needs them any more.
    async fn finish_in_time(&mut self) -> ExitCode {
        self.service.announce_stop();
        let finished = async {
            // The listener keeps rejecting new requests while the jobs of the queue and of clients still run.
            self.queue.finish().await;
            idle(&self.running, &self.jobs, self.grace).await;
            self.handle.stop(true).await;
            self.jobs.settle().await;
            self.jobs.finish_webhooks().await;
        };
        tokio::select! {
            outcome = timeout(self.grace, finished) => if outcome.is_err() {
                log::warn!("the shutdown grace period is over; callers who still wait are turned away");
                self.turn_callers_away().await;
            },
            signal = self.signals.next() => {
                log::warn!("stopping immediately by={}", signal.name);
                self.turn_callers_away().await;
                log_unanswered(&self.queue);
                return signal.exit_code();
            }
        }
        log::info!("stopped");
        // A job without a result is a failure.
        match log_unanswered(&self.queue) {
            true => ExitCode::FAILURE,
            false => ExitCode::SUCCESS,
        }
    }

    /// Answers every caller who still waits that the server is shutting down.
    async fn turn_callers_away(&self) {
        self.service.abandon_callers();
        // A caller whose answer takes longer sees a closed connection.
        let _ = timeout(LAST_ANSWERS, self.running.none()).await;
        sleep(LAST_WRITES).await;
    }
}

/// Waits until no request or job is running, for a part of the grace period: if requests keep arriving, the listener must
/// close early enough for the last of them to be answered.
async fn idle(running: &Gauge, jobs: &Jobs, grace: Duration) {
    let idle = async {
        running.none().await;
        jobs.settle().await;
    };
    // Work that is still running is awaited again after the listener is closed.
    let _ = timeout(grace / LISTENER_GRACE_DIVISOR, idle).await;
}

/// Logs the jobs that have no acknowledged result; returns whether there are any.
fn log_unanswered(queue: &RunPodQueue) -> bool {
    let ids = queue.unanswered();
    ids.inspect(|ids| log::error!("unanswered jobs={ids}"))
        .is_some()
}
