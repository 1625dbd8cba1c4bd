//! The RTM real-time messaging client for async-std and smol.
//!
//! `Client` spawns its driver on async-std, `smol::Client` on smol; both
//! can be in one build. async-std is no longer maintained by its authors, who
//! recommend smol: take `smol::Client`, with `default-features = false` and
//! the feature `smol`, for new programs. With neither feature, or for another
//! executor, [`Builder::build`](rtm_proto::handle::Builder::build) of
//! [`detached::Builder`] gives the client together with the future to spawn.
//!
//! | to do | look at |
//! |---|---|
//! | log in, log out, see the state | [`Client`](client::Client), [`Builder`](rtm_proto::handle::Builder), [`State`] |
//! | send messages, chats, audio, commands | [`api::MessageApi`] |
//! | receive messages and other events | [`Client::events`](client::Client::events), [`Event`], [`Message`] |
//! | read the history | [`Client::history`](client::Client::history), [`api::HistoryApi`], [`api::StoredMessageApi`] |
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
//! # #[cfg(feature = "smol")]
//! use rtm_client_async_std::smol::prelude::*;
//!
//! # #[cfg(not(feature = "smol"))]
//! # fn main() {}
//! # #[cfg(feature = "smol")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The local gate of this repository stands in for the service.
//! let gate = rtm_gate::Gate::start()?;
//! let (ann, bob) = (&gate.users()[0], &gate.users()[1]);
//! let login = |user: &rtm_gate::User| {
//!     Client::builder(gate.project_id(), user.id, user.token.as_str())
//!         .dispatch(gate.dispatch().ws)
//!         .login()
//! };
//! smol::block_on(async {
//!     let (client_a, client_b) = (login(ann).await?, login(bob).await?);
//!     client_a.send_chat(bob.id, "hello").await?;
//!
//!     let mut events = client_b.events();
//!     while let Some(event) = events.next().await {
//!         if let Event::Message(message) = event {
//!             assert_eq!(message.body.as_text(), Some("hello"));
//!             break;
//!         }
//!     }
//! #   Ok(())
//! })
//! # }
//! ```
//!
//! Sockets and timers are those of `async-io`, which both runtimes use, so the
//! driver itself is the same.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `async-std` | yes | `Client` on async-std |
//! | `smol` | no | `smol::Client` on smol |
//! | `native-roots` | no | trust the certificates of the operating system |

pub mod client;
pub mod detached;
mod driver;
pub mod file;
mod roots;
#[cfg(any(feature = "async-std", feature = "smol"))]
mod spawn;

#[cfg(feature = "async-std")]
mod on_async_std;
#[cfg(feature = "async-std")]
pub use on_async_std::{AsyncStd, Builder, Client};

#[cfg(feature = "smol")]
pub mod smol;

pub use rtm_proto;
pub use rtm_proto::api;
pub use rtm_proto::error;
pub use rtm_proto::handle::{Call, Events, HistoryStream, Login, LoginClient, Logout, Watch};
pub use rtm_proto::{
    Backoff, Body, Context, Conversation, Endpoint, Event, GroupId, Message, MessageId,
    MessageKind, MessageType, Remembered, Request, RequestOptions, RoomId, Scheme, Session, State,
    Token, Translation, UserId,
};

/// What most programs on async-std need:
/// `use rtm_client_async_std::prelude::*;`
#[cfg(feature = "async-std")]
pub mod prelude {
    pub use crate::Client;
    pub use crate::prelude_without_client::*;
}

/// What the preludes of all executors share.
#[cfg(any(feature = "async-std", feature = "smol"))]
mod prelude_without_client {
    pub use futures::StreamExt;
    pub use rtm_proto::prelude::*;
}
