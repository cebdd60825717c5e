//! When a call's first text leaves the queue, for whoever watches.
//!
//! The watcher stands several layers above the engine, and no layer between has to know: what is watched is whatever
//! the watched future asks of the engine.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::SetOnce;

tokio::task_local! {
    static WATCHED: Begin;
}

/// The moment when a call begins; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Begin(Arc<SetOnce<Instant>>);

impl Begin {
    /// Runs `future`, whose calls to the engine mark this moment. The first of them counts.
    pub async fn watch<F: Future>(&self, future: F) -> F::Output {
        WATCHED.scope(self.clone(), future).await
    }

    /// The moment, once it has come.
    pub fn get(&self) -> Option<Instant> {
        self.0.get().copied()
    }

    /// Waits for the moment.
    pub async fn wait(&self) -> Instant {
        *self.0.wait().await
    }

    /// The one that is watched here, or one that nobody watches.
    pub(super) fn watched() -> Self {
        WATCHED.try_with(Self::clone).unwrap_or_default()
    }

    pub(super) fn mark(&self, now: Instant) {
        // Only the first text of a call marks its beginning.
        let _ = self.0.set(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_asked_inside_marks_the_moment_and_nothing_outside_does() {
        let begin = Begin::default();
        let first = Instant::now();
        Begin::watched().mark(first);
        assert_eq!(begin.get(), None);
        begin.watch(async { Begin::watched().mark(first) }).await;
        begin
            .watch(async { Begin::watched().mark(Instant::now()) })
            .await;
        assert_eq!(begin.get(), Some(first));
        assert_eq!(begin.wait().await, first);
    }
}
