//! Why a client could not be built.

use alloc::string::String;
use core::fmt;

use crate::config::EndpointError;
use crate::transport::TransportError;

/// Why a client could not be built from its options.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// An endpoint cannot be read.
    Endpoint {
        /// The option it was given for.
        option: &'static str,
        /// What is wrong with it.
        error: EndpointError,
    },
    /// The certificates to trust cannot be used.
    Tls(TransportError),
    /// The certificates of the operating system cannot be read.
    NativeRoots {
        /// What went wrong.
        why: String,
    },
    /// The operating system gives no randomness.
    Entropy {
        /// What went wrong.
        why: String,
    },
    /// The driver cannot be started, for example outside a runtime.
    Runtime {
        /// What went wrong.
        why: String,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Endpoint { option, error } => write!(f, "option `{option}`: {error}"),
            BuildError::Tls(error) => write!(f, "{error}"),
            BuildError::NativeRoots { why } => {
                write!(f, "the system's certificates cannot be read: {why}")
            }
            BuildError::Entropy { why } => write!(f, "no randomness: {why}"),
            BuildError::Runtime { why } => write!(f, "the driver cannot be started: {why}"),
        }
    }
}

impl core::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            BuildError::Endpoint { error, .. } => Some(error),
            BuildError::Tls(error) => Some(error),
            _ => None,
        }
    }
}
