//! Why a connection or a session ended.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use super::code::ErrorCode;
use super::login::LoginError;
use crate::payload::CodecError;
use crate::transport::TransportError;

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostReason {
    /// The peer closed it in an orderly way.
    PeerClosed,
    /// Reading or writing failed, for example because the peer reset it.
    Io {
        /// What the adapter reported.
        why: String,
    },
    /// Nothing was heard of the peer for this long.
    Silent(Duration),
    /// The peer does not read: answers to its pushes pile up.
    PeerNotReading,
    /// The peer sent bytes that are no package, or one above the size limit.
    Corrupt(CodecError),
    /// TLS or WebSocket failed.
    Transport(TransportError),
}

impl LostReason {
    /// The numeric code that FPNN clients use for the situation.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            LostReason::Silent(_) => ErrorCode::CORE_TIMEOUT,
            LostReason::Corrupt(error) => ErrorCode(error.code()),
            _ => ErrorCode::CORE_CONNECTION_CLOSED,
        }
    }
}

impl fmt::Display for LostReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LostReason::PeerClosed => f.write_str("the peer closed the connection"),
            LostReason::Io { why } => write!(f, "the connection failed: {why}"),
            LostReason::Silent(span) => write!(f, "nothing was heard of the peer for {span:?}"),
            LostReason::PeerNotReading => f.write_str("the peer does not read what it is sent"),
            LostReason::Corrupt(error) => write!(f, "the peer sent a bad package: {error}"),
            LostReason::Transport(error) => write!(f, "{error}"),
        }
    }
}

/// Why a session or a login ended; part of a state change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A login attempt failed.
    Login(LoginError),
    /// The connection of the session was lost.
    Lost(LostReason),
    /// The gate ended the session, as it does when another one replaces it.
    KickedOut,
    /// The application logged out, or dropped its last handle.
    LoggedOut,
    /// The application aborted the client, or its driver is gone. Such a
    /// client never logs in again.
    Aborted,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Login(error) => write!(f, "{error}"),
            Cause::Lost(reason) => write!(f, "{reason}"),
            Cause::KickedOut => f.write_str("kicked out by the gate"),
            Cause::LoggedOut => f.write_str("logged out"),
            Cause::Aborted => f.write_str("aborted"),
        }
    }
}
