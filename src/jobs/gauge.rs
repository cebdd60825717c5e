//! A number that goes up and down with the things it counts, be it jobs or requests, and whose zero can be waited for.

use tokio::sync::watch;

/// How many things there are; clones share the number.
#[derive(Debug, Clone)]
pub struct Gauge(watch::Sender<usize>);

/// One thing that is counted for as long as this exists.
pub struct Counted(Gauge);

impl Default for Gauge {
    /// Nothing yet.
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Gauge {
    /// Counts one more.
    pub fn count(&self) -> Counted {
        self.0.send_modify(|number| *number += 1);
        Counted(self.clone())
    }

    /// How many there are now.
    pub fn number(&self) -> usize {
        *self.0.borrow()
    }

    /// Returns when there are none.
    pub async fn none(&self) {
        // The sender lives as long as this borrow of it.
        let _ = self.0.subscribe().wait_for(|number| *number == 0).await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|number| *number -= 1);
    }
}
