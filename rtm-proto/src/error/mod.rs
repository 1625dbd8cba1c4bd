//! What can go wrong, with what it means and whether a retry can help.

mod build;
mod code;
mod login;
mod lost;
mod request;
mod text;

pub(crate) use text::kept;

pub use build::BuildError;
pub use code::{ErrorCode, Retry};
pub use login::{LoginError, LoginErrorKind, LoginStep};
pub use lost::{Cause, LostReason};
pub use request::{RequestError, RequestErrorKind};

pub use crate::config::{EndpointError, EndpointErrorKind};
pub use crate::payload::{CodecError, CodecErrorKind};
pub use crate::transport::TransportError;
