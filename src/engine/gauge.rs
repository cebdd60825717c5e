//! A gauge of calls, jobs or requests in progress. A task can wait until it is zero.

use tokio::sync::watch;

/// A gauge; clones share the number.
#[derive(Debug, Clone)]
pub struct Gauge(watch::Sender<usize>);

/// One item, counted until it is dropped.
pub struct Counted(Gauge);

impl Default for Gauge {
    /// A gauge at zero.
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Gauge {
    /// Counts one item.
    pub fn count(&self) -> Counted {
        self.0.send_modify(|number| *number += 1);
        Counted(self.clone())
    }

    /// The number of items now.
    pub fn number(&self) -> usize {
        *self.0.borrow()
    }

    /// Returns when the number is zero.
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
