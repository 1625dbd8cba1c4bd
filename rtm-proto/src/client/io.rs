//! What goes into a client and what comes out of it.

use alloc::string::String;
use core::fmt;

use bytes::Bytes;

use crate::error::RequestError;
use crate::event::Event;
use crate::payload::Payload;
use crate::request::{CallId, Context};
use crate::time::Instant;

/// Names one connection of a client; never reused, so that late news of a
/// connection that is gone cannot be mistaken for news of its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub(crate) u64);

/// What a client is told. Its `Debug` output counts received bytes and does not
/// show them: tokens may be among them.
#[derive(Clone)]
#[non_exhaustive]
pub enum Input {
    /// The socket asked for by [`Output::Connect`] is connected.
    Connected {
        /// Which one.
        conn: ConnId,
    },
    /// The socket asked for by [`Output::Connect`] cannot be connected.
    ConnectFailed {
        /// Which one.
        conn: ConnId,
        /// What went wrong, for humans.
        reason: String,
    },
    /// Bytes from a socket.
    Received {
        /// Which one.
        conn: ConnId,
        /// The bytes, not empty.
        data: Bytes,
    },
    /// A socket is gone: the peer ended it, or reading or writing failed.
    /// Nothing more may be reported of it.
    Disconnected {
        /// Which one.
        conn: ConnId,
        /// How it ended.
        reason: SocketEnd,
    },
    /// The network changed or came back: a wait for the next login attempt is
    /// cut short, at most once in 2 s.
    NetworkChanged,
    /// Time has passed.
    Tick,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Connected { conn } => f.debug_struct("Connected").field("conn", conn).finish(),
            Input::ConnectFailed { conn, reason } => f
                .debug_struct("ConnectFailed")
                .field("conn", conn)
                .field("reason", reason)
                .finish(),
            Input::Received { conn, data } => f
                .debug_struct("Received")
                .field("conn", conn)
                .field("bytes", &data.len())
                .finish(),
            Input::Disconnected { conn, reason } => f
                .debug_struct("Disconnected")
                .field("conn", conn)
                .field("reason", reason)
                .finish(),
            Input::NetworkChanged => f.write_str("NetworkChanged"),
            Input::Tick => f.write_str("Tick"),
        }
    }
}

/// How a socket ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketEnd {
    /// The peer ended the stream (end of file).
    Eof,
    /// Reading or writing failed; the text says how.
    Failed(String),
}

/// What a client wants done, or has to tell.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Connect a TCP socket. Try until it works, report
    /// [`Input::ConnectFailed`], or are told to [`Disconnect`](Self::Disconnect).
    Connect {
        /// The name to report it under.
        conn: ConnId,
        /// A host name, or an IPv4 or IPv6 address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// Close a socket, or stop connecting it. Nothing more needs to be
    /// reported of it.
    Disconnect {
        /// Which one.
        conn: ConnId,
    },
    /// A call ended.
    Answer {
        /// Which one.
        call: CallId,
        /// What [`Request::decode`](crate::Request::decode) needs besides the
        /// answer.
        context: Context,
        /// The answer's body, or why there is none.
        result: Result<Payload, RequestError>,
    },
    /// Something happened.
    Event(Event),
    /// Nothing is left to do until an input, a call, or the deadline.
    Wait {
        /// When to send [`Input::Tick`] at the latest; `None`: not needed.
        deadline: Option<Instant>,
        /// What the deadline is for.
        reason: Reason,
    },
}

/// What a deadline is for; for logs and for finding out why a client wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// There is no deadline.
    None,
    /// A call expires.
    Call,
    /// A call that waits for a session expires.
    WaitingCall,
    /// A connection must be open.
    Connect,
    /// The login attempt as a whole must be done.
    Attempt,
    /// The next login attempt starts.
    Backoff,
    /// A fresh token must be there.
    Token,
    /// The session counts as stable from then on.
    Stable,
    /// The connection is checked for silence.
    Liveness,
    /// The last bytes of a closing connection must be out.
    Drain,
    /// The logout must be done.
    Logout,
}
