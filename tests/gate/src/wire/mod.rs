//! Packages of the FPNN protocol: values, their two encodings, the header, WebSocket framing.
//!
//! Written for this service alone, so that a mistake of a client's codec cannot hide behind the same mistake here.

pub(crate) mod http;
pub(crate) mod input;
mod json;
mod msgpack;
pub(crate) mod package;
mod value;
pub(crate) mod websocket;

pub use package::Encoding;
pub use value::Value;
