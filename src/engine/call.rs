//! One call to the engine, as its caller sees it from outside: whether it has started, and a way to cancel it.
//!
//! The queue and the caller share it, so that both always agree: a call either starts before it is cancelled or never.
//!
//! Calls that ask for the same share one computation. The queue sees them as one call of several, which starts all of them
//! and is cancelled when all of them are cancelled or gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// The members of a call of several.
    members: Option<Mutex<Members>>,
}

#[derive(Debug, Default)]
struct Members {
    calls: Vec<(u64, Call)>,
    joined: u64,
}

/// A call's part in a call of several, until it is dropped.
pub(super) struct Membership {
    several: Call,
    number: u64,
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

    /// A call of several, which has no member yet.
    pub(super) fn of_several() -> Self {
        Self(Arc::new(State {
            members: Some(Mutex::default()),
            ..State::default()
        }))
    }

    /// Makes `call` a member of this call of several; it starts now if this one has started before.
    pub(super) fn join(&self, call: &Call) -> Membership {
        let mut number = 0;
        if let Some(mut members) = self.members() {
            if self.started().is_some() {
                call.start(Instant::now());
            }
            number = members.joined;
            members.joined += 1;
            members.calls.push((number, call.clone()));
        }
        Membership {
            several: self.clone(),
            number,
        }
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

    /// Whether the call was cancelled; a call of several is when all of its members are.
    pub fn is_cancelled(&self) -> bool {
        if let Some(members) = self.members() {
            return members.calls.iter().all(|(_, call)| call.is_cancelled());
        }
        self.0.is_cancelled.load(Ordering::Acquire)
            || matches!(self.0.first.get(), Some(First::Cancelled))
    }

    /// Notes that a text leaves the queue; returns `false` if it must not, because the call was cancelled.
    pub(super) fn start(&self, now: Instant) -> bool {
        if let Some(members) = self.members() {
            let started = members.calls.iter().filter(|(_, call)| call.start(now));
            if started.count() == 0 {
                return false;
            }
            // Only the first text marks the start.
            let _ = self.0.first.set(First::Started(now));
            return true;
        }
        // Only the first text of a call marks its start.
        let _ = self.0.first.set(First::Started(now));
        !self.is_cancelled()
    }

    /// Identifies the call among others; a call of several, those of its members that are not cancelled.
    pub(super) fn addresses(&self) -> Vec<usize> {
        match self.members() {
            Some(members) => members
                .calls
                .iter()
                .filter(|(_, call)| !call.is_cancelled())
                .flat_map(|(_, call)| call.addresses())
                .collect(),
            None => vec![Arc::as_ptr(&self.0).addr()],
        }
    }

    /// After a panic elsewhere the list is complete: every change of it is one statement.
    fn members(&self) -> Option<MutexGuard<'_, Members>> {
        let members = self.0.members.as_ref()?;
        Some(members.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if let Some(mut members) = self.several.members() {
            members.calls.retain(|(number, _)| *number != self.number);
        }
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
    fn a_call_of_several_starts_every_member_that_is_not_cancelled() {
        let several = Call::of_several();
        let [first, cancelled, late] = [(); 3].map(|()| Call::default());
        let _members = [several.join(&first), several.join(&cancelled)];
        cancelled.cancel();
        assert!(!several.is_cancelled());
        assert!(several.start(Instant::now()));
        assert!(first.started().is_some() && cancelled.started().is_none());
        let _late = several.join(&late);
        assert!(late.started().is_some());
    }

    #[test]
    fn a_call_of_several_is_cancelled_when_every_member_is_cancelled_or_gone() {
        let several = Call::of_several();
        let [first, second] = [(); 2].map(|()| Call::default());
        let gone = several.join(&first);
        let _cancelled = several.join(&second);
        second.cancel();
        assert!(!several.is_cancelled());
        drop(gone);
        assert!(several.is_cancelled());
        assert!(!several.start(Instant::now()));
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
