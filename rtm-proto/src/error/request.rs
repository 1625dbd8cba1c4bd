//! Why a call failed.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

use super::code::{ErrorCode, Retry};
use crate::ids::MessageId;
use crate::payload::CodecError;

/// Why a call failed.
///
/// It says which method it was, what happened ([`kind`](Self::kind)), the
/// numeric code ([`code`](Self::code)) and, for a message, the id to resend it
/// with ([`message_id`](Self::message_id)).
///
/// ```
/// use rtm_proto::error::{ErrorCode, RequestError, RequestErrorKind};
///
/// let error = RequestError::new("sendmsg", RequestErrorKind::ConnectionLost { sent: true });
/// assert_eq!(error.code(), ErrorCode::CORE_CONNECTION_CLOSED);
/// assert_eq!(
///     error.to_string(),
///     "sendmsg: the connection was lost; the server may or may not have executed the call"
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RequestError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    method: String,
    message_id: MessageId,
    kind: RequestErrorKind,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestErrorKind {
    /// There is no session, so nothing was sent.
    NotConnected,
    /// The connection ended before the answer came.
    ConnectionLost {
        /// Whether any byte of the call was handed to the network. If not, the
        /// server cannot have acted on it and a repeat is safe.
        sent: bool,
    },
    /// No answer came before the deadline.
    TimedOut {
        /// As in [`ConnectionLost`](Self::ConnectionLost).
        sent: bool,
    },
    /// The file gate cannot be used: its address is bad, it cannot be reached,
    /// or it went away before the file was on its way.
    FileGate {
        /// What went wrong, with the address.
        why: String,
    },
    /// The caller cancelled the call.
    Cancelled,
    /// Too much is waiting already: unsent bytes of a peer that does not read,
    /// or calls that wait for a session. Nothing was sent.
    Backpressure,
    /// An argument was refused before anything was sent.
    Invalid {
        /// Which argument, by its name on the wire.
        field: &'static str,
        /// What is wrong with it.
        why: String,
        /// The code a server would have used.
        code: ErrorCode,
    },
    /// The request could not be written as a package.
    Encode(CodecError),
    /// The server answered with an error.
    Server {
        /// The server's code; 20001 if it sent none.
        code: ErrorCode,
        /// The server's text for humans; it is not stable. What exceeds 1024
        /// bytes is cut off.
        message: String,
        /// The service that raised the error, if told; cut like the message.
        raiser: Option<String>,
    },
    /// The answer came, but is not what the method promises.
    Decode(CodecError),
}

impl RequestError {
    /// An error of the call `method`.
    #[must_use]
    pub fn new(method: &str, kind: RequestErrorKind) -> Self {
        RequestError(Box::new(Inner {
            method: method.to_string(),
            message_id: MessageId::NONE,
            kind,
        }))
    }

    /// An argument that was refused locally; for implementations of
    /// [`Request`](crate::Request).
    #[must_use]
    pub fn invalid(field: &'static str, code: ErrorCode, why: impl Into<String>) -> Self {
        RequestError::new(
            "",
            RequestErrorKind::Invalid {
                field,
                why: why.into(),
                code,
            },
        )
    }

    /// The same error with the method it belongs to.
    #[must_use]
    pub fn of_method(mut self, method: &str) -> Self {
        self.0.method = method.to_string();
        self
    }

    /// The same error with the id of the message that was to be sent.
    #[must_use]
    pub fn with_message_id(mut self, id: MessageId) -> Self {
        self.0.message_id = id;
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &RequestErrorKind {
        &self.0.kind
    }

    /// The method's name on the wire; empty if the error belongs to none.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// The id of the message that was to be sent, if the call was a send.
    ///
    /// To send the same message again without the risk that it arrives twice,
    /// repeat the call with this id as a resend.
    #[must_use]
    pub fn message_id(&self) -> Option<MessageId> {
        let id = self.0.message_id;
        (!id.is_none()).then_some(id)
    }

    /// The numeric code: the server's, or the one that FPNN clients use for
    /// the situation.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match &self.0.kind {
            RequestErrorKind::NotConnected
            | RequestErrorKind::Backpressure
            | RequestErrorKind::FileGate { .. } => ErrorCode::CORE_INVALID_CONNECTION,
            RequestErrorKind::ConnectionLost { .. } => ErrorCode::CORE_CONNECTION_CLOSED,
            RequestErrorKind::TimedOut { .. } => ErrorCode::CORE_TIMEOUT,
            RequestErrorKind::Cancelled => ErrorCode::CORE_CANCELLED,
            RequestErrorKind::Invalid { code, .. } | RequestErrorKind::Server { code, .. } => *code,
            RequestErrorKind::Encode(error) | RequestErrorKind::Decode(error) => {
                ErrorCode(error.code())
            }
        }
    }

    /// Whether repeating the call can help.
    ///
    /// For a call that was never sent this is better news than its code alone:
    /// [`Retry::Reconnect`] instead of [`Retry::Check`].
    #[must_use]
    pub fn retry(&self) -> Retry {
        match &self.0.kind {
            RequestErrorKind::ConnectionLost { sent: false } => Retry::Reconnect,
            RequestErrorKind::TimedOut { sent: false }
            | RequestErrorKind::Backpressure
            | RequestErrorKind::FileGate { .. } => Retry::Later,
            _ => self.code().retry(),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.method.is_empty() {
            write!(f, "{}: ", self.0.method)?;
        }
        match &self.0.kind {
            RequestErrorKind::NotConnected => f.write_str("not connected; nothing was sent"),
            RequestErrorKind::ConnectionLost { sent: true } => f.write_str(
                "the connection was lost; the server may or may not have executed the call",
            ),
            RequestErrorKind::ConnectionLost { sent: false } => {
                f.write_str("the connection was lost before the call was sent")
            }
            RequestErrorKind::TimedOut { sent: true } => {
                f.write_str("no answer in time; the server may or may not have executed the call")
            }
            RequestErrorKind::TimedOut { sent: false } => {
                f.write_str("the deadline passed before the call was sent")
            }
            RequestErrorKind::FileGate { why } => write!(f, "the file gate cannot be used: {why}"),
            RequestErrorKind::Cancelled => f.write_str("cancelled"),
            RequestErrorKind::Backpressure => {
                f.write_str("too much is waiting to be sent; nothing was sent")
            }
            RequestErrorKind::Invalid { field, why, .. } => {
                write!(f, "invalid argument `{field}`: {why}")
            }
            RequestErrorKind::Encode(error) => write!(f, "cannot be encoded: {error}"),
            RequestErrorKind::Server {
                code,
                message,
                raiser,
            } => {
                write!(f, "refused by the server: {code}")?;
                if !message.is_empty() {
                    write!(f, ": {message}")?;
                }
                match raiser {
                    Some(raiser) => write!(f, " (raised by {raiser})"),
                    None => Ok(()),
                }
            }
            RequestErrorKind::Decode(error) => {
                write!(f, "the answer cannot be understood: {error}")
            }
        }
    }
}

impl fmt::Debug for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestError")
            .field("method", &self.0.method)
            .field("message_id", &self.message_id())
            .field("kind", &self.0.kind)
            .finish()
    }
}

impl core::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.0.kind {
            RequestErrorKind::Encode(error) | RequestErrorKind::Decode(error) => Some(error),
            _ => None,
        }
    }
}
