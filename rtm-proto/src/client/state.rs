//! Where a client stands.

use core::fmt;

use crate::config::Endpoint;
use crate::error::Cause;
use crate::time::Instant;

/// Where a client stands; every change is reported as
/// [`Event::State`](crate::Event::State).
///
/// ```text
///            login                    auth accepted
///   Idle ------------> Connecting ---------------------> Online
///                       ^      |                         |   |
///           time is up, |      | attempt failed          |   |
///        network change |      v                         |   |
///                      Backoff <-------------------------+   |
///                       |   |        connection lost         | logout
///    attempts used up,  |   | logout                         v
///    final refusal      v   v                             Closing
///                       Closed <-----------------------------+
/// ```
///
/// A lost connection or a failed attempt leads to `Backoff` only while
/// [`auto_reconnect`](crate::Config::auto_reconnect) is on; otherwise, and
/// after a kickout or a final refusal, to `Closed`. From `Closed` a new login
/// starts afresh, unless the cause is [`Cause::Aborted`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Nobody has called `login` yet.
    Idle,
    /// A login attempt is under way.
    Connecting {
        /// Attempts since the last session opened, this one included.
        attempt: u32,
    },
    /// The session is open.
    Online {
        /// About the session.
        session: Session,
    },
    /// The next attempt is waited for.
    Backoff {
        /// When it starts, unless a network change calls it earlier.
        retry_at: Instant,
        /// Why there is no session.
        cause: Cause,
        /// Attempts that failed since the last session opened.
        attempt: u32,
    },
    /// `logout` was called; calls that are still pending may be answered.
    Closing,
    /// There is no session, and none will follow by itself.
    Closed {
        /// Why.
        cause: Cause,
    },
}

impl State {
    /// Whether a session is open.
    #[must_use]
    pub const fn is_online(&self) -> bool {
        matches!(self, State::Online { .. })
    }

    /// Whether the client is closed.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, State::Closed { .. })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Idle => f.write_str("idle"),
            State::Connecting { attempt } => write!(f, "connecting, attempt {attempt}"),
            State::Online { session } => write!(f, "online at {}", session.gate),
            State::Backoff { cause, attempt, .. } => {
                write!(f, "waiting after attempt {attempt}: {cause}")
            }
            State::Closing => f.write_str("closing"),
            State::Closed { cause } => write!(f, "closed: {cause}"),
        }
    }
}

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The gate it is open with. An application may keep it and pass it to its
    /// next login ([`Config::gate`](crate::Config::gate)), which then needs no
    /// dispatch.
    pub gate: Endpoint,
}
