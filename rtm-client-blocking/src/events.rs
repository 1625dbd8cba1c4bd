//! Events and states, waited for.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use rtm_proto::{Event, State, handle};

use crate::block;

/// A reader of a client's events.
///
/// It is an iterator that waits for the next event. It ends when no event can
/// follow: after the last handle is gone and the client has closed. A closed
/// client may log in again, so closing alone does not end it.
#[derive(Debug)]
pub struct Events {
    events: handle::Events,
}

/// What [`Events::recv_timeout`] gives when there is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// None came in time.
    Timeout,
    /// None can follow.
    Ended,
}

impl std::fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            RecvTimeoutError::Timeout => "no event in time",
            RecvTimeoutError::Ended => "no event can follow",
        })
    }
}

impl std::error::Error for RecvTimeoutError {}

impl Events {
    pub(crate) const fn new(events: handle::Events) -> Self {
        Events { events }
    }

    /// Waits for the next event; `None` when none can follow.
    pub fn recv(&mut self) -> Option<Event> {
        block::wait(poll_fn(|cx| Pin::new(&mut self.events).poll_next(cx)))
    }

    /// Waits for the next event, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`] says why there is none.
    pub fn recv_timeout(&mut self, limit: Duration) -> Result<Event, RecvTimeoutError> {
        let next = block::wait_at_most(limit, |cx| Pin::new(&mut self.events).poll_next(cx));
        next.ok_or(RecvTimeoutError::Timeout)?
            .ok_or(RecvTimeoutError::Ended)
    }

    /// The next event if one is waiting.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.events.try_recv()
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.recv()
    }
}

/// The latest state of a client: the current one first, then the latest one
/// after each change; states that came and went between two looks are
/// skipped. It ends like [`Events`].
#[derive(Debug)]
pub struct Watch {
    watch: handle::Watch,
}

impl Watch {
    pub(crate) const fn new(watch: handle::Watch) -> Self {
        Watch { watch }
    }

    /// Waits for the next state, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`] says why there is none.
    pub fn recv_timeout(&mut self, limit: Duration) -> Result<State, RecvTimeoutError> {
        let next = block::wait_at_most(limit, |cx| Pin::new(&mut self.watch).poll_next(cx));
        next.ok_or(RecvTimeoutError::Timeout)?
            .ok_or(RecvTimeoutError::Ended)
    }
}

impl Iterator for Watch {
    type Item = State;

    fn next(&mut self) -> Option<State> {
        block::wait(poll_fn(|cx| Pin::new(&mut self.watch).poll_next(cx)))
    }
}
