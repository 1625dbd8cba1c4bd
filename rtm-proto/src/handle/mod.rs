//! What the adapters share: a handle to a client that any task or thread may
//! hold, the futures it gives, the event queue, and the driver's side of it.
//!
//! An adapter makes a [`Driver`] and a [`Handle`] with [`new`], gives the
//! handle to the application and keeps the driver in a loop: [`Driver::turn`],
//! do what it says, move bytes, repeat. For async runtimes that loop is
//! [`drive`], over the sockets and the timer of a [`Runtime`]. Everything here
//! is still without I/O; the time comes from a [`Clock`] the adapter provides.
//!
//! The lock inside is held while a request is encoded, so an implementation of
//! [`Request::encode`](crate::Request::encode) must not use the client it is
//! sent with. No other foreign code runs under it: answers are decoded in the
//! caller's task, and wakers are called and dropped after it is released.

mod builder;
mod call;
mod driver;
mod events;
mod futures;
mod history;
#[cfg(test)]
mod interleavings;
mod looping;
mod queue;
mod read_buffer;
mod shared;
mod sync;
mod tokens;
mod wakers;

pub use builder::{Builder, Start};
pub use call::Call;
pub use driver::{Action, Driver, Turn};
pub use events::{Events, Watch};
pub use futures::{Login, LoginClient, Logout};
pub use history::HistoryStream;
pub use looping::{Runtime, drive};
pub use read_buffer::ReadBuffer;
pub use shared::{Clock, Handle};
pub use tokens::{BlockingTokenProvider, TokenProvider};

use alloc::sync::Arc;
use core::time::Duration;

use crate::client::Client;
use crate::config::Config;
use shared::Shared;

/// Makes a client and its two ends.
///
/// `seed` and `unix` are as for [`Client::new`].
#[must_use]
pub fn new(config: Config, seed: u64, unix: Duration, clock: impl Clock) -> (Driver, Handle) {
    let client = Client::new(config, seed, clock.now(), unix);
    let shared = Arc::new(Shared::new(client, clock));
    (Driver::new(shared.clone()), Handle::new(shared))
}
