//! The RTM real-time messaging client for tokio.
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
//! use rtm_client_tokio::prelude::*;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The local gate of this repository stands in for the service.
//! let gate = rtm_gate::Gate::start()?;
//! let (ann, bob) = (&gate.users()[0], &gate.users()[1]);
//! let login = |user: &rtm_gate::User| {
//!     Client::builder(gate.project_id(), user.id, user.token.as_str())
//!         .dispatch(gate.dispatch().ws)
//!         .login()
//! };
//! let (client_a, client_b) = (login(ann).await?, login(bob).await?);
//! client_a.send_chat(bob.id, "hello").await?;
//!
//! let mut events = client_b.events();
//! while let Some(event) = events.next().await {
//!     if let Event::Message(message) = event {
//!         assert_eq!(message.body.as_text(), Some("hello"));
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A client needs a tokio runtime with time and I/O enabled when it is built;
//! its driver is one task on that runtime. Everything the client decides is
//! decided in [`rtm_proto`]; this crate looks up names, moves bytes and tells
//! the time.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `native-roots` | no | [`Builder::native_roots`](rtm_proto::handle::Builder::native_roots): trust the certificates of the operating system |

mod client;
mod driver;
pub mod file;

pub use client::{Builder, Client, Tokio};
pub use rtm_proto;
pub use rtm_proto::api;
pub use rtm_proto::error;
pub use rtm_proto::handle::{Call, Events, HistoryStream, Login, LoginClient, Logout, Watch};
pub use rtm_proto::{
    Backoff, Body, Context, Conversation, Endpoint, Event, GroupId, Message, MessageId,
    MessageKind, MessageType, Remembered, Request, RequestOptions, RoomId, Scheme, Session, State,
    Token, Translation, UserId,
};

/// What most programs need: `use rtm_client_tokio::prelude::*;`
pub mod prelude {
    pub use crate::Client;
    pub use futures::StreamExt;
    pub use rtm_proto::prelude::*;
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
