//! The side of a client that an adapter's loop holds.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::task::Waker;

use bytes::Bytes;

use super::shared::Shared;
use crate::client::{ConnId, Input};
use crate::config::Token;
use crate::time::Instant;

/// Something the loop has to do with a socket; see
/// [`Output`](crate::Output).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect one.
    Connect {
        /// The name to report it under.
        conn: ConnId,
        /// A host name or an address.
        host: String,
        /// The port.
        port: u16,
    },
    /// Close one, or stop connecting it.
    Disconnect {
        /// Which one.
        conn: ConnId,
    },
}

/// What a turn of the loop brought.
#[derive(Debug, Default)]
pub struct Turn {
    /// What to do now, in order.
    pub actions: VecDeque<Action>,
    /// When to take the next turn if nothing happens before.
    pub deadline: Option<Instant>,
    /// Whether the application should be asked for a fresh token.
    pub token_wanted: bool,
    /// Whether the client is closed and nobody is left who could log in
    /// again: the loop may end once its sockets are closed.
    pub finished: bool,
    /// Whether the queue of events is more than half full: the loop should let
    /// the application read some before it reads more from its sockets.
    pub crowded: bool,
}

/// The driver's side of a client.
///
/// Dropping it aborts the client, so that every call ends and every waiting
/// task wakes, however the loop came to its end.
pub struct Driver {
    shared: Arc<Shared>,
    woken: Vec<Waker>,
}

impl Driver {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Driver {
            shared,
            woken: Vec::new(),
        }
    }

    /// The clock the client runs on.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.shared.now()
    }

    /// Whether the application wants something since the last
    /// [`turn`](Self::turn), or that one was given another doorbell.
    #[must_use]
    pub fn is_rung(&self, doorbell: &Waker) -> bool {
        let core = self.shared.lock();
        let known = core.doorbell.as_ref();
        !known.is_some_and(|known| known.will_wake(doorbell))
    }

    /// Hands over what happened, if anything, and learns what to do.
    ///
    /// `doorbell` is woken once when the application wants something after
    /// this turn. Look at [`transmit`](Self::transmit) for every open socket
    /// next, and repeat both until neither gives anything new; then wait for a
    /// socket, the doorbell or the deadline.
    pub fn turn(&mut self, doorbell: &Waker, inputs: impl IntoIterator<Item = Input>) -> Turn {
        let now = self.shared.now();
        let mut core = self.shared.lock();
        let known = core.doorbell.as_ref();
        let replaced = match known.is_some_and(|known| known.will_wake(doorbell)) {
            true => None,
            false => core.doorbell.replace(doorbell.clone()),
        };
        let mut inputs = inputs.into_iter();
        // Every input brings the time with it; without one it is all there is.
        let first = inputs.next().unwrap_or(Input::Tick);
        core.client.handle_input(now, first);
        for input in inputs {
            core.client.handle_input(now, input);
        }
        let deadline = core.pump(&mut self.woken);
        let turn = Turn {
            actions: core::mem::take(&mut core.actions),
            deadline,
            token_wanted: core::mem::take(&mut core.token_wanted),
            finished: core.handles_gone && core.client.state().is_closed(),
            crowded: core.events.is_crowded(),
        };
        drop(core);
        drop(replaced);
        self.woken.drain(..).for_each(Waker::wake);
        turn
    }

    /// Raw bytes to write to a socket; see
    /// [`Client::poll_transmit`](crate::Client::poll_transmit). The second
    /// value tells whether another [`turn`](Self::turn) is due before waiting.
    pub fn transmit(&mut self, conn: ConnId) -> (Option<Bytes>, bool) {
        let mut core = self.shared.lock();
        let piece = core.client.poll_transmit(conn);
        (piece, core.client.has_output())
    }

    /// Hands over a fresh token, or the news that there is none; see
    /// [`Client::set_token`](crate::Client::set_token) and
    /// [`Client::withhold_token`](crate::Client::withhold_token). A turn is
    /// due.
    pub fn token_provided(&mut self, token: Option<Token>) {
        let now = self.shared.now();
        let mut core = self.shared.lock();
        match token {
            Some(token) => core.client.set_token(now, token),
            None => core.client.withhold_token(now),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.act(|core, _| {
            core.driver_gone = true;
            // A loop that ended because all was done leaves nothing to abort.
            if !(core.handles_gone && core.client.state().is_closed()) {
                core.client.abort();
            }
        });
        let mut woken = Vec::new();
        let mut core = self.shared.lock();
        core.event_wakers.take_into(&mut woken);
        core.state_wakers.take_into(&mut woken);
        drop(core);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
