//! The RTM real-time messaging client for plain threads, without an async
//! runtime.
//!
//! | to do | look at |
//! |---|---|
//! | log in, log out, see the state | [`Client`], [`Builder`](rtm_proto::handle::Builder), [`State`] |
//! | send messages, chats, audio, commands | [`api::MessageApi`] |
//! | receive messages and other events | [`Client::events`](Client::events), [`Event`], [`Message`] |
//! | read the history | [`Client::history`](Client::history), [`api::HistoryApi`], [`api::StoredMessageApi`] |
//! | unread messages, conversations | [`api::UnreadApi`] |
//! | send files | [`api::UploadApi`], [`mod@file`]; with a token of your own: [`api::FileApi`] |
//! | groups | [`api::GroupApi`] |
//! | rooms | [`api::RoomApi`] |
//! | friends | [`api::FriendApi`] |
//! | users: online, public and private info | [`api::UserApi`] |
//! | key-value data | [`api::DataApi`] |
//! | translation, profanity filter | [`api::LanguageApi`] |
//! | attributes, other sessions, devices, debug log | [`api::SessionApi`] |
//! | any other method | [`api::Custom`] |
//! | what went wrong | [`error::RequestError`], [`error::LoginError`], [`error::ErrorCode`] |
//!
//! ```
//! use rtm_client_blocking::prelude::*;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The local gate of this repository stands in for the service.
//! let gate = rtm_gate::Gate::start()?;
//! let (ann, bob) = (&gate.users()[0], &gate.users()[1]);
//! let login = |user: &rtm_gate::User| {
//!     Client::builder(gate.project_id(), user.id, user.token.as_str())
//!         .dispatch(gate.dispatch().ws)
//!         .login()
//! };
//! let (client_a, client_b) = (login(ann)?, login(bob)?);
//! client_a.send_chat(bob.id, "hello")?;
//!
//! for event in client_b.events() {
//!     if let Event::Message(message) = event {
//!         assert_eq!(message.body.as_text(), Some("hello"));
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A client has two threads: one reads from its connection, one keeps its
//! deadlines; both sleep while there is nothing to do. Requests are written by
//! the thread that makes them, and a thread that makes one quick call after the
//! other, alone, reads its answers too. A connection that is being opened, and a file
//! on its way, have one more each.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `native-roots` | no | [`Builder::native_roots`](rtm_proto::handle::Builder::native_roots): trust the certificates of the operating system |

mod block;
mod client;
mod engine;
mod events;
pub mod file;
mod history;
mod reader;
mod seat;
mod socket;

pub use client::{Builder, Client, Threaded};
pub use events::{Events, RecvTimeoutError, Watch};
pub use history::History;
pub use rtm_proto;
pub use rtm_proto::api;
pub use rtm_proto::error;
pub use rtm_proto::{
    Backoff, Body, Context, Conversation, Endpoint, Event, GroupId, Message, MessageId,
    MessageKind, MessageType, Remembered, Request, RequestOptions, RoomId, Scheme, Session, State,
    Token, Translation, UserId,
};

/// What most programs need: `use rtm_client_blocking::prelude::*;`
pub mod prelude {
    pub use crate::Client;
    pub use rtm_proto::prelude::*;
}
