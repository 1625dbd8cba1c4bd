//! Why a login attempt failed.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use super::build::BuildError;
use super::code::ErrorCode;
use super::lost::LostReason;
use crate::config::EndpointError;
use crate::payload::CodecError;
use crate::transport::TransportError;

/// Why a login attempt failed, and at which address.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    endpoint: Option<String>,
    kind: LoginErrorKind,
}

/// A step of the login that has a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginStep {
    /// Opening the connection: name lookup, TCP, TLS and WebSocket handshake.
    Connect,
    /// The dispatch node's answer to `which`.
    Lookup,
    /// The gate's answer to `auth`.
    Auth,
    /// The attempt as a whole, redirects included.
    Attempt,
    /// A fresh token from the application.
    Token,
}

/// What happened to a login attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginErrorKind {
    /// The client could not be built from its options.
    Build(BuildError),
    /// Neither a dispatch nor a gate endpoint is configured.
    NoEndpoint,
    /// A server sent an endpoint that cannot be read.
    Endpoint(EndpointError),
    /// No connection: the name is unknown, nobody listens, the network is away.
    Connect {
        /// What the adapter reported.
        why: String,
    },
    /// The TLS or WebSocket handshake failed.
    Transport(TransportError),
    /// The connection ended before the login did.
    Lost(LostReason),
    /// A step took too long.
    TimedOut(LoginStep),
    /// The dispatch node knows no gate for this user.
    NoGate,
    /// The gate refused the token: it is wrong or expired.
    TokenRefused,
    /// The server answered with an error.
    Refused {
        /// The server's code.
        code: ErrorCode,
        /// The server's text for humans; it is not stable. What exceeds 1024
        /// bytes is cut off.
        message: String,
    },
    /// Gates sent the client on more than five times.
    TooManyRedirects,
    /// `which` or `auth` cannot be written as a package: version, token or
    /// attributes are too long for the package limit.
    Encode(CodecError),
    /// An answer came that is not what the protocol promises.
    Decode(CodecError),
    /// `logout` was called before the login was done.
    LoggedOut,
    /// The gate ended the session by `kickout` before the login was done.
    KickedOut,
    /// `abort` was called, or the driver of the client is gone.
    Aborted,
}

impl LoginError {
    pub(crate) fn new(kind: LoginErrorKind) -> Self {
        LoginError(Box::new(Inner {
            endpoint: None,
            kind,
        }))
    }

    pub(crate) fn at(mut self, endpoint: impl Into<String>) -> Self {
        self.0.endpoint = Some(endpoint.into());
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &LoginErrorKind {
        &self.0.kind
    }

    /// The address of the dispatch node or gate it happened at, with scheme.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.0.endpoint.as_deref()
    }

    /// The numeric code: the server's, or the one that FPNN clients use for
    /// the situation.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match &self.0.kind {
            LoginErrorKind::Build(_)
            | LoginErrorKind::NoEndpoint
            | LoginErrorKind::Endpoint(_)
            | LoginErrorKind::Connect { .. }
            | LoginErrorKind::Transport(_)
            | LoginErrorKind::NoGate
            | LoginErrorKind::TooManyRedirects => ErrorCode::CORE_INVALID_CONNECTION,
            LoginErrorKind::Lost(reason) => reason.code(),
            LoginErrorKind::LoggedOut | LoginErrorKind::KickedOut => {
                ErrorCode::CORE_CONNECTION_CLOSED
            }
            LoginErrorKind::TimedOut(LoginStep::Token) | LoginErrorKind::TokenRefused => {
                ErrorCode::INVALID_AUTH_TOEKN
            }
            LoginErrorKind::TimedOut(_) => ErrorCode::CORE_TIMEOUT,
            LoginErrorKind::Refused { code, .. } => *code,
            LoginErrorKind::Encode(error) | LoginErrorKind::Decode(error) => {
                ErrorCode(error.code())
            }
            LoginErrorKind::Aborted => ErrorCode::CORE_CANCELLED,
        }
    }

    /// Whether no retry follows, whatever the reconnect policy says: the
    /// configuration is wrong, or the service will refuse again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match &self.0.kind {
            LoginErrorKind::Build(_)
            | LoginErrorKind::NoEndpoint
            | LoginErrorKind::Encode(_)
            | LoginErrorKind::TokenRefused
            | LoginErrorKind::TimedOut(LoginStep::Token)
            | LoginErrorKind::LoggedOut
            | LoginErrorKind::KickedOut
            | LoginErrorKind::Aborted => true,
            LoginErrorKind::Refused { code, .. } => code.stops_reconnecting(),
            LoginErrorKind::Transport(error) => error.is_permanent(),
            _ => false,
        }
    }
}

impl From<BuildError> for LoginError {
    fn from(error: BuildError) -> Self {
        LoginError::new(LoginErrorKind::Build(error))
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("login")?;
        if let Some(endpoint) = &self.0.endpoint {
            write!(f, " at {endpoint}")?;
        }
        f.write_str(": ")?;
        match &self.0.kind {
            LoginErrorKind::Build(error) => write!(f, "{error}"),
            LoginErrorKind::NoEndpoint => {
                f.write_str("no address: configure a dispatch or a gate endpoint")
            }
            LoginErrorKind::Endpoint(error) => write!(f, "the server sent a bad address: {error}"),
            LoginErrorKind::Connect { why } => write!(f, "cannot connect: {why}"),
            LoginErrorKind::Transport(error) => write!(f, "{error}"),
            LoginErrorKind::Lost(reason) => write!(f, "{reason}"),
            LoginErrorKind::TimedOut(step) => f.write_str(match step {
                LoginStep::Connect => "the connection was not open in time",
                LoginStep::Lookup => "the dispatch node did not answer in time",
                LoginStep::Auth => "the gate did not answer in time",
                LoginStep::Attempt => "the attempt took too long",
                LoginStep::Token => "the token was refused and no fresh one came in time",
            }),
            LoginErrorKind::NoGate => f.write_str("the dispatch node named no gate"),
            LoginErrorKind::TokenRefused => {
                f.write_str("the token was refused: it is wrong or expired")
            }
            LoginErrorKind::Refused { code, message } if message.is_empty() => {
                write!(f, "refused by the server: {code}")
            }
            LoginErrorKind::Refused { code, message } => {
                write!(f, "refused by the server: {code}: {message}")
            }
            LoginErrorKind::TooManyRedirects => f.write_str("too many redirects"),
            LoginErrorKind::Encode(error) => write!(f, "cannot be sent: {error}"),
            LoginErrorKind::Decode(error) => {
                write!(f, "the answer cannot be understood: {error}")
            }
            LoginErrorKind::LoggedOut => f.write_str("logged out meanwhile"),
            LoginErrorKind::KickedOut => f.write_str("kicked out meanwhile"),
            LoginErrorKind::Aborted => f.write_str("the client was aborted"),
        }
    }
}

impl fmt::Debug for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginError")
            .field("endpoint", &self.0.endpoint)
            .field("kind", &self.0.kind)
            .finish()
    }
}

impl core::error::Error for LoginError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.0.kind {
            LoginErrorKind::Build(error) => Some(error),
            LoginErrorKind::Endpoint(error) => Some(error),
            LoginErrorKind::Transport(error) => Some(error),
            LoginErrorKind::Encode(error) | LoginErrorKind::Decode(error) => Some(error),
            _ => None,
        }
    }
}
