//! An incoming message, whatever conversation it belongs to.

use alloc::boxed::Box;
use alloc::string::String;

use bytes::Bytes;

use super::file::FileInfo;
use super::push_names as names;
use crate::ids::{GroupId, MessageId, MessageType, RoomId, UserId};

/// A message from another user, or from another session of the same user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// Where it was said.
    pub conversation: Conversation,
    /// Who said it.
    pub sender: UserId,
    /// To whom a one-to-one message was addressed, if the gate tells: the
    /// user of this client, or the peer when another session of this user
    /// sent it.
    pub recipient: Option<UserId>,
    /// What sort of message it is; follows from
    /// [`message_type`](Self::message_type).
    pub kind: MessageKind,
    /// The type on the wire.
    pub message_type: MessageType,
    /// The sender's id for it; [`MessageId::NONE`] if the gate sent none.
    pub message_id: MessageId,
    /// What was said.
    pub body: Body,
    /// The attributes the sender attached; empty if there are none. Bytes
    /// that are not UTF-8 are replaced.
    pub attrs: String,
    /// When the service took the message, in milliseconds since 1970 UTC; not
    /// every gate tells.
    pub time_ms: Option<i64>,
    /// The original and the translation of a chat, when the user set a
    /// language and the gate translated it.
    pub translation: Option<Box<Translation>>,
}

/// Where a message was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conversation {
    /// Between two users.
    P2p,
    /// In a group.
    Group(GroupId),
    /// In a room.
    Room(RoomId),
    /// To all users of the project.
    Broadcast,
}

/// What sort of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// A type of the application's own.
    Plain,
    /// Text chat, type 30.
    Chat,
    /// Audio, type 31.
    Audio,
    /// A command, type 32.
    Command,
    /// A file, types 40 to 50.
    File,
}

impl From<MessageType> for MessageKind {
    fn from(mtype: MessageType) -> Self {
        match mtype {
            MessageType::CHAT => MessageKind::Chat,
            MessageType::AUDIO => MessageKind::Audio,
            MessageType::COMMAND => MessageKind::Command,
            other if other.is_file() => MessageKind::File,
            _ => MessageKind::Plain,
        }
    }
}

/// The body of a message.
///
/// Text that is not valid UTF-8 is delivered as bytes, never repaired and
/// never dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Body {
    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Body::Text(text) => Some(text),
            Body::Binary(_) => None,
        }
    }

    /// The bytes, of text and binary bodies alike.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
        }
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Body::Text(text)
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Body::Text(text.into())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Body::Binary(bytes)
    }
}

impl From<alloc::vec::Vec<u8>> for Body {
    fn from(bytes: alloc::vec::Vec<u8>) -> Self {
        Body::Binary(bytes.into())
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Body::Binary(Bytes::copy_from_slice(bytes))
    }
}

/// A text with its translation. The body of a chat that the gate translated
/// is the translation, or the original where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Translation {
    /// The language of the original; empty if the gate did not tell.
    pub source_language: String,
    /// The language of the translation; empty if the gate did not tell.
    pub target_language: String,
    /// The text as it was sent.
    pub source_text: String,
    /// The translated text; empty if it was not translated.
    pub target_text: String,
}

impl Translation {
    /// The translated text if there is one, else the original.
    #[must_use]
    pub fn plain_text(&self) -> &str {
        if self.target_text.is_empty() {
            &self.source_text
        } else {
            &self.target_text
        }
    }
}

impl Message {
    /// The file that the message tells of; none if it is of another
    /// [`kind`](Self::kind).
    #[must_use]
    pub fn file(&self) -> Option<FileInfo> {
        let is_file = self.message_type.is_file();
        is_file.then(|| FileInfo::parse(&self.body, &self.attrs))
    }

    /// The event's name in the JavaScript SDK, one of 20; see
    /// [`push_names`](super::push_names).
    #[must_use]
    pub const fn push_name(&self) -> &'static str {
        const NAMES: [[&str; 5]; 4] = [
            [
                names::RECV_MESSAGE,
                names::RECV_CHAT,
                names::RECV_AUDIO,
                names::RECV_CMD,
                names::RECV_FILE,
            ],
            [
                names::RECV_GROUP_MESSAGE,
                names::RECV_GROUP_CHAT,
                names::RECV_GROUP_AUDIO,
                names::RECV_GROUP_CMD,
                names::RECV_GROUP_FILE,
            ],
            [
                names::RECV_ROOM_MESSAGE,
                names::RECV_ROOM_CHAT,
                names::RECV_ROOM_AUDIO,
                names::RECV_ROOM_CMD,
                names::RECV_ROOM_FILE,
            ],
            [
                names::RECV_BROADCAST_MESSAGE,
                names::RECV_BROADCAST_CHAT,
                names::RECV_BROADCAST_AUDIO,
                names::RECV_BROADCAST_CMD,
                names::RECV_BROADCAST_FILE,
            ],
        ];
        let [p2p, group, room, broadcast] = &NAMES;
        let [plain, chat, audio, command, file] = match self.conversation {
            Conversation::P2p => p2p,
            Conversation::Group(_) => group,
            Conversation::Room(_) => room,
            Conversation::Broadcast => broadcast,
        };
        match self.kind {
            MessageKind::Plain => plain,
            MessageKind::Chat => chat,
            MessageKind::Audio => audio,
            MessageKind::Command => command,
            MessageKind::File => file,
        }
    }
}
