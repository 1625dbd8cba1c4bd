//! What can go wrong between a connection and its bytes.

use alloc::string::String;
use core::fmt;

use super::Scheme;

/// Why a transport could not be set up, or why it ended.
///
/// Texts name hosts, limits and protocol faults; never a payload, never a token.
/// Except for [`Closed`](Self::Closed), [`TooLarge`](Self::TooLarge) and
/// [`LengthMismatch`](Self::LengthMismatch), which concern one call of
/// [`Transport::send`](super::Transport::send), every error is final for its transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// The host is neither a DNS name in ASCII nor an IP address.
    InvalidHost {
        /// The host as it was given.
        host: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The scheme needs a feature this build does not have.
    Unsupported {
        /// The scheme that was asked for.
        scheme: Scheme,
        /// The cargo feature of `rtm-proto` that is missing.
        feature: &'static str,
    },
    /// A `wss` or `tls` target was given without TLS options.
    TlsUnavailable {
        /// The scheme that was asked for.
        scheme: Scheme,
    },
    /// TLS options could not be built: a root certificate is unusable, there is none, or the
    /// crypto provider supports no protocol version.
    TlsOptions {
        /// What is wrong.
        why: String,
    },
    /// The peer's certificate was refused.
    Certificate {
        /// The host the certificate was checked for.
        host: String,
        /// Why it was refused.
        why: String,
    },
    /// TLS failed: the peer sent an alert, broke the protocol, or there is nothing both sides support.
    Tls {
        /// What rustls reported.
        why: String,
    },
    /// The peer did not switch to WebSocket.
    HandshakeRefused {
        /// The HTTP status, if a response arrived at all.
        status: Option<u16>,
        /// What is wrong with the response.
        why: String,
    },
    /// The peer broke the WebSocket protocol (RFC 6455).
    WebSocket {
        /// Which rule was broken.
        why: String,
    },
    /// Something is longer than its limit in [`TransportLimits`](super::TransportLimits).
    TooLarge {
        /// What is too long: `package`, `message` or `response head`.
        what: &'static str,
        /// Its length in bytes, as far as it is known.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The encoder handed to `send` did not append the number of bytes announced.
    LengthMismatch {
        /// Bytes announced.
        expected: usize,
        /// Bytes appended.
        written: usize,
    },
    /// The stream ended where it may not.
    Truncated {
        /// What was still missing.
        why: &'static str,
    },
    /// The transport was closed, by either side: nothing can be sent any more.
    Closed,
}

impl TransportError {
    /// Whether trying again cannot help, because the configuration or the build is at fault.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        matches!(
            self,
            Self::InvalidHost { .. }
                | Self::Unsupported { .. }
                | Self::TlsUnavailable { .. }
                | Self::TlsOptions { .. }
        )
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidHost { host, why } => write!(f, "invalid host {host:?}: {why}"),
            Self::Unsupported { scheme, feature } => {
                write!(f, "{scheme} needs the feature `{feature}` of rtm-proto")
            }
            Self::TlsUnavailable { scheme } => {
                write!(f, "{scheme} needs TLS options, and none were given")
            }
            Self::TlsOptions { why } => write!(f, "unusable TLS options: {why}"),
            Self::Certificate { host, why } => {
                write!(f, "the certificate of {host} was refused: {why}")
            }
            Self::Tls { why } => write!(f, "TLS failed: {why}"),
            Self::HandshakeRefused {
                status: Some(status),
                why,
            } => write!(f, "WebSocket upgrade refused with status {status}: {why}"),
            Self::HandshakeRefused { status: None, why } => {
                write!(f, "WebSocket upgrade failed: {why}")
            }
            Self::WebSocket { why } => write!(f, "WebSocket protocol broken: {why}"),
            Self::TooLarge { what, size, limit } => {
                write!(f, "{what} of {size} bytes exceeds the limit of {limit}")
            }
            Self::LengthMismatch { expected, written } => write!(
                f,
                "package announced with {expected} bytes, but {written} were encoded"
            ),
            Self::Truncated { why } => write!(f, "the stream was cut: {why}"),
            Self::Closed => f.write_str("the transport is closed"),
        }
    }
}

impl core::error::Error for TransportError {}
