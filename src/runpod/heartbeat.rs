//! The heartbeat: it has its own thread, runtime and connection, so that no work can delay it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use super::Error;
use super::addresses::Addresses;
use super::connection::{Connection, Failure};
use super::registry::Registry;
use crate::service::with_causes;

/// Name of the thread.
const THREAD_NAME: &str = "heartbeat";

/// A heartbeat; it ends when this is dropped.
pub struct Heartbeat {
    _end: oneshot::Sender<()>,
}

/// The connection, the URLs and the jobs of a heartbeat.
pub struct Pulse {
    /// A connection that nothing else uses.
    pub connection: Connection,
    /// Its URLs.
    pub addresses: Arc<Addresses>,
    /// The jobs that it names.
    pub registry: Arc<Registry>,
    /// Time from one to the next.
    pub interval: Duration,
}

impl Heartbeat {
    /// Starts at once.
    pub fn start(pulse: Pulse) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Heartbeat)?;
        let (_end, ended) = oneshot::channel();
        Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || {
                runtime.block_on(beat(Arc::new(Beat::new(pulse)), ended));
                // A name that is still being resolved is not waited for.
                runtime.shutdown_background();
            })
            .map_err(Error::Heartbeat)?;
        Ok(Self { _end })
    }
}

async fn beat(beat: Arc<Beat>, mut ended: oneshot::Receiver<()>) {
    let mut ticks = tokio::time::interval(beat.pulse.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = &mut ended => return,
        }
        // A slow answer does not delay the next heartbeat.
        tokio::spawn(Arc::clone(&beat).ping());
    }
}

struct Beat {
    pulse: Pulse,
    is_failing: AtomicBool,
}

impl Beat {
    fn new(pulse: Pulse) -> Self {
        Self {
            pulse,
            is_failing: AtomicBool::new(false),
        }
    }

    /// One heartbeat, retried once where RunPod may not have received it.
    async fn ping(self: Arc<Self>) {
        if !self.is_seen().await {
            tokio::time::sleep(self.pulse.interval / 2).await;
            self.is_seen().await;
        }
    }

    async fn is_seen(&self) -> bool {
        let ids = self.pulse.registry.ids();
        let Some(address) = self.pulse.addresses.ping(ids.iter()) else {
            return true;
        };
        let limit = self.pulse.interval * 2;
        let outcome = self.pulse.connection.tell(&address, limit).await;
        let is_seen = matches!(outcome, Ok(status) if status < 300);
        self.log_change(is_seen, &outcome);
        is_seen
    }

    /// An outage is logged when it begins and when it ends.
    fn log_change(&self, is_seen: bool, outcome: &Result<u16, Failure>) {
        let was_failing = self.is_failing.swap(!is_seen, Ordering::Relaxed);
        match outcome {
            Ok(_) if is_seen && was_failing => log::info!("heartbeat answered again"),
            Ok(status) if !is_seen && !was_failing => {
                log::warn!("heartbeat refused status={status}");
            }
            Err(failure) if !was_failing => {
                log::warn!("heartbeat failed cause={:?}", with_causes(failure));
            }
            Ok(_) | Err(_) => {}
        }
    }
}
