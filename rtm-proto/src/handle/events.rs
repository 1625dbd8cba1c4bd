//! Events and states as streams.

use alloc::sync::Arc;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::shared::Shared;
use super::wakers::Seat;
use crate::client::State;
use crate::event::Event;

/// A reader of a client's events; a stream.
///
/// It ends when no event can follow: after the last handle is gone and the
/// client has closed, or when its driver is gone. A closed client may log in
/// again, so closing alone does not end it.
///
/// # Cancel safety
///
/// An event is taken from the queue when the stream yields it, never before:
/// a `next()` that is dropped loses nothing.
pub struct Events {
    shared: Arc<Shared>,
    seat: Seat,
}

impl Events {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Events {
            shared,
            seat: Seat::new(),
        }
    }

    /// The next event if one is waiting.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.shared.lock().events.pop()
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let Events { shared, seat } = self.get_mut();
        let mut core = shared.lock();
        if let Some(event) = core.events.pop() {
            return Poll::Ready(Some(event));
        }
        if core.is_over() {
            return Poll::Ready(None);
        }
        let replaced = core.event_wakers.register(seat, cx.waker());
        drop(core);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.shared.leave(&self.seat, |core| &mut core.event_wakers);
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// The latest state of a client; a stream.
///
/// It yields the current state at once and then the latest one after each
/// change; states that came and went between two looks are skipped. It ends
/// like [`Events`].
///
/// # Cancel safety
///
/// A `next()` that is dropped loses nothing.
pub struct Watch {
    shared: Arc<Shared>,
    seat: Seat,
    seen: Option<u64>,
}

impl Watch {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Watch {
            shared,
            seat: Seat::new(),
            seen: None,
        }
    }
}

impl Stream for Watch {
    type Item = State;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<State>> {
        let Watch { shared, seat, seen } = self.get_mut();
        let mut core = shared.lock();
        if *seen != Some(core.state_version) {
            *seen = Some(core.state_version);
            return Poll::Ready(Some(core.client.state().clone()));
        }
        if core.is_over() {
            return Poll::Ready(None);
        }
        let replaced = core.state_wakers.register(seat, cx.waker());
        drop(core);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.leave(&self.seat, |core| &mut core.state_wakers);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
