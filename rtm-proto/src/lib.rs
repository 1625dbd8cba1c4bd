//! The RTM real-time messaging protocol as a pure state machine.
//!
//! RTM is a hosted messaging service. Its clients speak FPNN, a binary
//! protocol of quests, answers and pushes with msgpack or JSON bodies, over
//! TCP, TLS, WebSocket or WebSocket over TLS. This crate knows all of that and
//! does no I/O: it has no socket, clock, thread, randomness, environment or
//! global. Whoever can move bytes and tell the time can run it.
//!
//! To use RTM on a runtime, take the adapter of that runtime, for example
//! `rtm-client-tokio`; it re-exports this crate. Use this crate alone for an
//! event loop of your own: a game engine, an embedded main loop, `mio`,
//! io_uring. You lose nothing.
//!
//! # The run loop
//!
//! A [`Client`] is a value with four methods that matter:
//!
//! 1. [`Client::poll_output`] says what to do: connect a socket, close one,
//!    take the answer of a call, take an event. Call it until it says
//!    [`Output::Wait`].
//! 2. [`Client::poll_transmit`] gives bytes for each connected socket. Write
//!    them completely, then ask again, until there are none. If
//!    [`Client::has_output`] then, go back to 1.
//! 3. Wait until a socket is readable, the deadline of `Wait` has come, or the
//!    application wants something.
//! 4. [`Client::handle_input`] takes what happened. Go back to 1.
//!
//! Calls are made with [`Client::request`] at any time.
//!
//! ```
//! use rtm_proto::{Client, Config, Event, Input, Instant, Output, State, UserId};
//! use std::time::Duration;
//!
//! let config = Config::new(1000012, UserId(654321), "the token")
//!     .gate("tcp://gate.example:13321".parse()?);
//! let unix = Duration::from_secs(1_591_322_544);
//! let mut client = Client::new(config, 7, Instant::ZERO, unix);
//!
//! client.login(Instant::ZERO);
//! assert!(matches!(
//!     client.poll_output(),
//!     Output::Event(Event::State(State::Connecting { attempt: 1 }))
//! ));
//! let Output::Connect { conn, host, port } = client.poll_output() else { panic!() };
//! assert_eq!((host.as_str(), port), ("gate.example", 13321));
//!
//! // The socket is connected: the client has something to say.
//! client.handle_input(Instant::ZERO, Input::Connected { conn });
//! let bytes = client.poll_transmit(conn).expect("the auth quest");
//! assert!(bytes.starts_with(b"FPNN"));
//! # Ok::<(), rtm_proto::EndpointError>(())
//! ```
//!
//! `examples/custom_loop.rs` is a complete program on a standard socket,
//! `examples/poll_loop` one for two users, non-blocking sockets and any
//! transport.
//!
//! # The contract
//!
//! 1. Any calls in any order; no panic, whatever the peer sends.
//! 2. Drain `poll_output` to `Wait`, and `poll_transmit` of each connection,
//!    before sleeping.
//! 3. An early or repeated [`Input::Tick`] changes nothing. A `now` that goes
//!    back counts as the last one.
//! 4. Every accepted call ends exactly once: with an answer, an error of the
//!    server, a time-out, a lost connection (which tells whether any byte of
//!    it was sent), or [`Client::cancel`]. Also on close, kickout, abort and
//!    when the client gives up.
//! 5. Work and memory per input are bounded by the size of that input and by
//!    configured limits; declared lengths are checked before anything is
//!    allocated.
//! 6. Same inputs, same outputs. (The masks of WebSocket frames and the
//!    handshakes of TLS are random, as their RFCs demand; with plain TCP every
//!    byte is reproducible.)
//! 7. Pushes keep the order of the wire. Two-way pushes are answered before
//!    they are delivered.
//!
//! [`State`] has a diagram of the states a client goes through.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `std` | yes | the standard library; without it the crate is `no_std` with `alloc` |
//! | `websocket` | yes | the schemes `ws` and `wss` |
//! | `tls` | yes | the schemes `tls` and `wss`, with rustls and ring |
//! | `value` | no | untyped requests and payloads with `rmpv` |
//! | `handle` | no | what adapters share: handle, futures, event queue |
//!
//! JSON bodies are always understood. If another crate of a build turns on
//! the feature `arbitrary_precision` of serde_json, numbers in JSON bodies can
//! no longer be read.
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
mod tables;
mod time;
pub mod transport;

pub use client::{Client, ConnId, Input, Output, Reason, Session, SocketEnd, State};
pub use config::{
    Backoff, Config, Endpoint, EndpointError, EndpointErrorKind, FileSignature, Token,
};
pub use event::{
    Body, Conversation, Event, FileInfo, Message, MessageKind, Translation, VoiceInfo,
};
pub use ids::{GroupId, MessageId, MessageType, RoomId, UserId};
pub use request::{CallId, Context, MessageOptions, Remembered, Request, RequestOptions};
pub use time::Instant;
pub use transport::Scheme;

/// What the preludes of all adapters have in common: the areas with their
/// request types, messages, events, errors and ids.
pub mod prelude {
    pub use crate::api::*;
    pub use crate::error::{ErrorCode, LoginError, RequestError, RequestErrorKind};
    pub use crate::{
        Body, Conversation, Event, GroupId, Message, MessageId, MessageKind, MessageType,
        RequestOptions, RoomId, State, UserId,
    };
}
