//! Sending messages to users, groups and rooms.
//!
//! Wire methods: `sendmsg`, `sendgroupmsg`, `sendroommsg`.

use alloc::format;
use alloc::string::String;

use super::Caller;
use crate::error::{ErrorCode, RequestError};
use crate::event::Body;
use crate::ids::{GroupId, MessageId, MessageType, RoomId, UserId};
use crate::payload::{Bin, CodecError, Payload, PayloadWriter};
use crate::request::{Context, MessageOptions, Request};

/// To whom a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// One user.
    User(UserId),
    /// The members of a group; the sender must be one of them.
    Group(GroupId),
    /// Those in a room; the sender must be in it.
    Room(RoomId),
}

impl From<UserId> for Recipient {
    fn from(user: UserId) -> Self {
        Recipient::User(user)
    }
}

impl From<GroupId> for Recipient {
    fn from(group: GroupId) -> Self {
        Recipient::Group(group)
    }
}

impl From<RoomId> for Recipient {
    fn from(room: RoomId) -> Self {
        Recipient::Room(room)
    }
}

/// Sends a message (`sendmsg`, `sendgroupmsg`, `sendroommsg`).
///
/// The service takes bodies of up to 20 480 bytes and attributes of up to
/// 2 048 bytes, and answers longer ones with 200030. Other errors worth
/// knowing: 200052 for a message to oneself, 200041 and 200040 for a group or
/// room one is not in, 200044 and 200045 for one in which one is muted, 200053
/// for a message id that was used before.
///
/// ```
/// use rtm_proto::api::SendMessage;
/// use rtm_proto::{GroupId, MessageId, MessageType};
///
/// let request = SendMessage::new(GroupId(7), MessageType(66), "hello")
///     .attrs(r#"{"mood":"good"}"#)
///     .message_id(MessageId(1591322544000001));
/// # let _ = request;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendMessage {
    recipient: Recipient,
    message_type: MessageType,
    body: Body,
    attrs: String,
    options: MessageOptions,
}

impl SendMessage {
    /// A message of any type, 1 to 127; text or bytes.
    pub fn new(
        to: impl Into<Recipient>,
        message_type: impl Into<MessageType>,
        body: impl Into<Body>,
    ) -> Self {
        SendMessage {
            recipient: to.into(),
            message_type: message_type.into(),
            body: body.into(),
            attrs: String::new(),
            options: MessageOptions::default(),
        }
    }

    /// A text chat, type 30.
    pub fn chat(to: impl Into<Recipient>, text: impl Into<String>) -> Self {
        SendMessage::new(to, MessageType::CHAT, Body::Text(text.into()))
    }

    /// Audio, type 31.
    pub fn audio(to: impl Into<Recipient>, audio: impl Into<Body>) -> Self {
        SendMessage::new(to, MessageType::AUDIO, audio)
    }

    /// A command, type 32.
    pub fn command(to: impl Into<Recipient>, command: impl Into<String>) -> Self {
        SendMessage::new(to, MessageType::COMMAND, Body::Text(command.into()))
    }

    /// Attributes that travel with the message (default: empty).
    #[must_use]
    pub fn attrs(mut self, attrs: impl Into<String>) -> Self {
        self.attrs = attrs.into();
        self
    }

    /// The message's id (default: zero, which has one generated).
    #[must_use]
    pub fn message_id(mut self, id: MessageId) -> Self {
        self.options = MessageOptions { id, resend: false };
        self
    }

    /// Marks the message as a resend of one that may have arrived: it carries
    /// the same id, and if the server has seen that before, the call succeeds
    /// with [`Receipt::deduplicated`] set.
    #[must_use]
    pub fn resend(mut self, id: MessageId) -> Self {
        self.options = MessageOptions { id, resend: true };
        self
    }
}

/// What a sent message gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The message's id, given or generated.
    pub message_id: MessageId,
    /// When the service took the message, in milliseconds since 1970 UTC; not
    /// every service tells.
    pub time_ms: Option<i64>,
    /// Whether this was a resend and an earlier try had arrived already. The
    /// time is unknown then.
    pub deduplicated: bool,
}

impl Receipt {
    pub(super) fn decode(context: &Context, answer: &Payload) -> Result<Self, CodecError> {
        let mut time_ms = None;
        answer.fields(|key, value| match key {
            "mtime" => value.read_into(&mut time_ms),
            _ => Ok(()),
        })?;
        Ok(Receipt {
            message_id: context.message_id,
            time_ms,
            deduplicated: context.deduplicated,
        })
    }
}

impl Request for SendMessage {
    type Response = Receipt;

    fn method(&self) -> &str {
        match self.recipient {
            Recipient::User(_) => "sendmsg",
            Recipient::Group(_) => "sendgroupmsg",
            Recipient::Room(_) => "sendroommsg",
        }
    }

    fn encode(&self, context: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        if context.check_arguments && !(1..=127).contains(&self.message_type.0) {
            let why = format!("{} is not a message type from 1 to 127", self.message_type);
            return Err(RequestError::invalid(
                "mtype",
                ErrorCode::INVALID_MTYPE,
                why,
            ));
        }
        match &self.recipient {
            Recipient::User(user) => out.field("to", user),
            Recipient::Group(group) => out.field("gid", group),
            Recipient::Room(room) => out.field("rid", room),
        };
        out.field("mid", &context.message_id);
        out.field("mtype", &self.message_type);
        match &self.body {
            Body::Text(text) => out.field("msg", text.as_str()),
            Body::Binary(bytes) => out.field("msg", &Bin(bytes)),
        };
        out.field("attrs", self.attrs.as_str());
        Ok(())
    }

    fn decode(&self, context: &Context, answer: Payload) -> Result<Receipt, CodecError> {
        Receipt::decode(context, &answer)
    }

    fn message(&self) -> Option<MessageOptions> {
        Some(self.options)
    }
}

/// Sends messages.
///
/// Every method generates a message id and sends no attributes; to give
/// either, build a [`SendMessage`] and `call` it.
pub trait MessageApi: Caller {
    /// Sends a message to a user (`sendMessage`). Gives a [`Receipt`].
    #[doc(alias = "sendMessage")]
    fn send_message(
        &self,
        to: impl Into<UserId>,
        message_type: impl Into<MessageType>,
        body: impl Into<Body>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::new(to.into(), message_type, body))
    }

    /// Sends a text chat to a user (`sendChat`). Gives a [`Receipt`].
    #[doc(alias = "sendChat")]
    fn send_chat(
        &self,
        to: impl Into<UserId>,
        text: impl Into<String>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::chat(to.into(), text))
    }

    /// Sends audio to a user as a message (`sendAudio`). Gives a [`Receipt`].
    #[doc(alias = "sendAudio")]
    fn send_audio(
        &self,
        to: impl Into<UserId>,
        audio: impl Into<Body>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::audio(to.into(), audio))
    }

    /// Sends a command to a user (`sendCmd`). Gives a [`Receipt`].
    #[doc(alias = "sendCmd")]
    fn send_cmd(&self, to: impl Into<UserId>, cmd: impl Into<String>) -> Self::Reply<SendMessage> {
        self.call(SendMessage::command(to.into(), cmd))
    }

    /// Sends a message to a group (`sendGroupMessage`). Gives a [`Receipt`].
    #[doc(alias = "sendGroupMessage")]
    fn send_group_message(
        &self,
        group: impl Into<GroupId>,
        message_type: impl Into<MessageType>,
        body: impl Into<Body>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::new(group.into(), message_type, body))
    }

    /// Sends a text chat to a group (`sendGroupChat`). Gives a [`Receipt`].
    #[doc(alias = "sendGroupChat")]
    fn send_group_chat(
        &self,
        group: impl Into<GroupId>,
        text: impl Into<String>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::chat(group.into(), text))
    }

    /// Sends audio to a group as a message (`sendGroupAudio`). Gives a
    /// [`Receipt`].
    #[doc(alias = "sendGroupAudio")]
    fn send_group_audio(
        &self,
        group: impl Into<GroupId>,
        audio: impl Into<Body>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::audio(group.into(), audio))
    }

    /// Sends a command to a group (`sendGroupCmd`). Gives a [`Receipt`].
    #[doc(alias = "sendGroupCmd")]
    fn send_group_cmd(
        &self,
        group: impl Into<GroupId>,
        cmd: impl Into<String>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::command(group.into(), cmd))
    }

    /// Sends a message to a room (`sendRoomMessage`). Gives a [`Receipt`].
    #[doc(alias = "sendRoomMessage")]
    fn send_room_message(
        &self,
        room: impl Into<RoomId>,
        message_type: impl Into<MessageType>,
        body: impl Into<Body>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::new(room.into(), message_type, body))
    }

    /// Sends a text chat to a room (`sendRoomChat`). Gives a [`Receipt`].
    #[doc(alias = "sendRoomChat")]
    fn send_room_chat(
        &self,
        room: impl Into<RoomId>,
        text: impl Into<String>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::chat(room.into(), text))
    }

    /// Sends audio to a room as a message (`sendRoomAudio`). Gives a
    /// [`Receipt`].
    #[doc(alias = "sendRoomAudio")]
    fn send_room_audio(
        &self,
        room: impl Into<RoomId>,
        audio: impl Into<Body>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::audio(room.into(), audio))
    }

    /// Sends a command to a room (`sendRoomCmd`). Gives a [`Receipt`].
    #[doc(alias = "sendRoomCmd")]
    fn send_room_cmd(
        &self,
        room: impl Into<RoomId>,
        cmd: impl Into<String>,
    ) -> Self::Reply<SendMessage> {
        self.call(SendMessage::command(room.into(), cmd))
    }
}
