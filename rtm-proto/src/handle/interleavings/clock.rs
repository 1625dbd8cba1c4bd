//! Time that passes when a scenario says so.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::sync::Mutex;
use shuttle::sync::atomic::AtomicU64;

use crate::time::Instant;

#[derive(Clone, Default)]
pub(super) struct Clock(Arc<Inner>);

#[derive(Default)]
struct Inner {
    seconds: AtomicU64,
    sleeper: Mutex<Option<(Instant, Waker)>>,
}

impl Clock {
    /// Threads that ask at different times may use what they learnt in any
    /// order, so asking is a moment at which others go on.
    pub(super) fn now(&self) -> Instant {
        let seconds = self.0.seconds.load(Ordering::SeqCst);
        Instant::from_duration(Duration::from_secs(seconds))
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.0.seconds.fetch_add(seconds, Ordering::SeqCst);
        let now = self.now();
        let due = self.0.sleeper.lock().unwrap().take_if(|(at, _)| *at <= now);
        if let Some((_, sleeper)) = due {
            sleeper.wake();
        }
    }

    pub(super) fn poll(&self, cx: &Context<'_>, deadline: Instant) -> Poll<()> {
        let mut sleeper = self.0.sleeper.lock().unwrap();
        if deadline <= self.now() {
            return Poll::Ready(());
        }
        *sleeper = Some((deadline, cx.waker().clone()));
        Poll::Pending
    }
}
