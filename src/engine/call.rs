//! One call to the engine, as its caller sees it from outside: whether it has started, and a way to cancel it.
//!
//! The queue and the caller share it, so that both always agree: a call either starts before it is cancelled or never.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::SetOnce;

/// One call; clones share it. Attempts that follow each other may share one, too: then the first start counts.
#[derive(Debug, Clone, Default)]
pub struct Call(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// What came first.
    first: SetOnce<First>,
    /// Whether a call that had started was cancelled; one that had not has [`First::Cancelled`].
    is_cancelled: AtomicBool,
    is_background: bool,
}

#[derive(Debug, Clone, Copy)]
enum First {
    Started(Instant),
    Cancelled,
}

impl Call {
    /// A call in the background: nobody waits for its answer, so it waits for room and is never rejected for now.
    pub fn background() -> Self {
        Self(Arc::new(State {
            is_background: true,
            ..State::default()
        }))
    }

    /// Whether it is a call in the background.
    pub fn is_background(&self) -> bool {
        self.0.is_background
    }

    /// When the first text left the queue for a batch, once it has.
    pub fn started(&self) -> Option<Instant> {
        self.0.first.get().copied().and_then(First::start)
    }

    /// Waits until the first text leaves the queue; never returns for a call that was cancelled before.
    pub async fn wait_started(&self) -> Instant {
        match self.0.first.wait().await.start() {
            Some(start) => start,
            None => std::future::pending().await,
        }
    }

    /// Cancels the call: from now on none of its texts leaves the queue for a batch.
    pub fn cancel(&self) {
        // It fails for a call that has started, whose other texts the flag stops.
        let _ = self.0.first.set(First::Cancelled);
        self.0.is_cancelled.store(true, Ordering::Release);
    }

    /// Cancels the call unless it has started; returns whether it is cancelled now.
    pub fn cancel_unless_started(&self) -> bool {
        // It fails for a call that has started or was cancelled before.
        let _ = self.0.first.set(First::Cancelled);
        self.is_cancelled()
    }

    /// Whether the call was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Acquire)
            || matches!(self.0.first.get(), Some(First::Cancelled))
    }

    /// Notes that a text leaves the queue; returns `false` if it must not, because the call was cancelled.
    pub(super) fn start(&self, now: Instant) -> bool {
        // Only the first text of a call marks its start.
        let _ = self.0.first.set(First::Started(now));
        !self.is_cancelled()
    }

    /// Identifies the call among others.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl First {
    fn start(self) -> Option<Instant> {
        match self {
            Self::Started(start) => Some(start),
            Self::Cancelled => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_text_marks_the_start_and_later_ones_do_not() {
        let call = Call::default();
        assert_eq!(call.started(), None);
        let first = Instant::now();
        assert!(call.start(first));
        assert!(call.start(Instant::now()));
        assert_eq!(call.started(), Some(first));
        assert_eq!(call.wait_started().await, first);
    }

    #[test]
    fn a_cancelled_call_never_starts() {
        let call = Call::default();
        assert!(call.cancel_unless_started());
        assert!(!call.start(Instant::now()));
        assert_eq!(call.started(), None);
    }

    #[test]
    fn a_call_that_has_started_is_cancelled_only_on_explicit_request() {
        let call = Call::default();
        assert!(call.start(Instant::now()));
        assert!(!call.cancel_unless_started());
        assert!(call.start(Instant::now()));
        call.cancel();
        assert!(!call.start(Instant::now()));
        assert!(call.started().is_some());
    }
}
