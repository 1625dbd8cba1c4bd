//! The RTM real-time messaging protocol as a pure state machine.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

extern crate alloc;

pub mod api;
pub mod client;
pub mod config;
pub mod connection;
pub mod error;
pub mod event;
pub mod frame;
#[cfg(feature = "handle")]
pub mod handle;
mod ids;
pub mod payload;
mod random;
mod request;
mod time;
pub mod transport;

pub use client::{Client, ConnId, Input, Output, Reason, Session, SocketEnd, State};
pub use config::{Backoff, Config, Endpoint, EndpointError, EndpointErrorKind, Token};
pub use event::{Body, Conversation, Event, Message, MessageKind, Translation};
pub use ids::{GroupId, MessageId, MessageType, RoomId, UserId};
pub use request::{CallId, Context, MessageOptions, Remembered, Request, RequestOptions};
pub use time::Instant;
pub use transport::Scheme;
