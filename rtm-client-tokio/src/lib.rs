//! The RTM client for tokio.

mod client;
mod dial;
mod driver;

pub use client::{Builder, Client, Tokio};
pub use rtm_proto;
pub use rtm_proto::api;
pub use rtm_proto::error;
pub use rtm_proto::handle::{Call, Events, Login, LoginClient, Logout, Watch};
pub use rtm_proto::{
    Backoff, Body, Context, Conversation, Endpoint, Event, GroupId, Message, MessageId,
    MessageKind, MessageType, Remembered, Request, RequestOptions, RoomId, Scheme, Session, State,
    Token, Translation, UserId,
};

/// What most programs need: `use rtm_client_tokio::prelude::*;`
pub mod prelude {
    pub use crate::Client;
    pub use futures::StreamExt;
    pub use rtm_proto::api::*;
    pub use rtm_proto::error::{ErrorCode, LoginError, RequestError, RequestErrorKind};
    pub use rtm_proto::{
        Body, Conversation, Event, GroupId, Message, MessageId, MessageKind, MessageType,
        RequestOptions, RoomId, State, UserId,
    };
}
