//! What the application is told without having asked.

mod content;
mod file;
mod message;
mod push;
pub mod push_names;

pub(crate) use content::Content;
pub use file::{FileInfo, VoiceInfo};
pub use message::{Body, Conversation, Message, MessageKind, Translation};
pub(crate) use push::{Push, decode as decode_push};

use alloc::string::String;

use crate::client::State;
use crate::error::RequestError;
use crate::ids::{MessageId, RoomId};
use crate::payload::{CodecError, Payload};

/// Something that happened.
///
/// Events are not ordered against the answers of calls. Messages keep the
/// order in which they came over the wire.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The client is in another state now.
    State(State),
    /// A message arrived.
    Message(Message),
    /// The gate ended this session (`kickout`); no reconnect follows. The
    /// payload is whatever the gate sent along.
    KickedOut(Payload),
    /// The gate removed the user from a room (`kickoutroom`).
    KickedOutOfRoom(RoomId),
    /// A room could not be entered again after a reconnect.
    RoomLost {
        /// The room.
        room: RoomId,
        /// Why.
        error: RequestError,
    },
    /// The translation language or the attributes of the connection could not
    /// be set again after a reconnect.
    SettingLost(RequestError),
    /// Part of a file was handed to the network.
    UploadProgress {
        /// The id of the message that carries the file.
        message_id: MessageId,
        /// Bytes of the file so far.
        sent: u64,
        /// Bytes of the file in all.
        total: u64,
    },
    /// The gate checked whether the client is alive (`ping`).
    Ping,
    /// A push with a method this client does not know. A two-way one was
    /// answered with error 20004.
    Unknown {
        /// The method.
        method: String,
        /// The body, unread.
        payload: Payload,
    },
    /// A push that cannot be understood. It was answered all the same, so that
    /// the gate does not repeat it.
    Undecodable {
        /// The method.
        method: String,
        /// The body, unread.
        payload: Payload,
        /// What is wrong with it.
        error: CodecError,
    },
    /// The application did not read its events fast enough, and this many
    /// pushes of the gate were dropped, the oldest first: messages, pings,
    /// removals from rooms, pushes that are not known or not understood. The
    /// progress of uploads, which gives way too, does not count.
    Lagged {
        /// How many.
        missed: u64,
    },
    /// The gate refused the token, and the client waits for a fresh one; see
    /// [`Config::provide_tokens`](crate::Config::provide_tokens).
    TokenRefused,
}

impl Event {
    /// The event's name in the JavaScript SDK, for the 23 events that have
    /// one: `pushchat`, `pushgroupfile`, `kickout`, `ping` and so on; one of
    /// [`push_names::ALL`].
    ///
    /// ```
    /// use rtm_proto::Event;
    /// assert_eq!(Event::Ping.push_name(), Some("ping"));
    /// assert_eq!(Event::Lagged { missed: 3 }.push_name(), None);
    /// ```
    #[must_use]
    pub fn push_name(&self) -> Option<&'static str> {
        match self {
            Event::Message(message) => Some(message.push_name()),
            Event::KickedOut(_) => Some(push_names::KICK_OUT),
            Event::KickedOutOfRoom(_) => Some(push_names::KICK_OUT_ROOM),
            Event::Ping => Some(push_names::RECV_PING),
            _ => None,
        }
    }
}
