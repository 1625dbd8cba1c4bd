//! Reads the pushes of a gate.

use alloc::string::String;

use super::content::Content;
use super::message::{Conversation, Message, MessageKind};
use crate::ids::{GroupId, MessageId, MessageType, RoomId, UserId};
use crate::payload::{CodecError, Payload, Required, Text};

/// What a push says.
pub(crate) enum Push {
    Message(Message),
    KickedOut,
    KickedOutOfRoom(RoomId),
    Ping,
    Unknown,
}

/// The kind of conversation a message push belongs to, by its method.
enum Kind {
    P2p,
    Group,
    Room,
    Broadcast,
}

/// Reads the push `method` with the body `payload`.
pub(crate) fn decode(method: &str, payload: &Payload) -> Result<Push, CodecError> {
    match method {
        "ping" => Ok(Push::Ping),
        "kickout" => Ok(Push::KickedOut),
        "kickoutroom" => room_of_kickout(payload).map(Push::KickedOutOfRoom),
        "pushmsg" => message(Kind::P2p, payload).map(Push::Message),
        "pushgroupmsg" => message(Kind::Group, payload).map(Push::Message),
        "pushroommsg" => message(Kind::Room, payload).map(Push::Message),
        "pushbroadcastmsg" => message(Kind::Broadcast, payload).map(Push::Message),
        _ => Ok(Push::Unknown),
    }
}

impl Message {
    /// Reads a message push: a quest of the gate on a
    /// [`Connection`](crate::connection::Connection) of your own, or one that
    /// was recorded. A [`Client`](crate::Client) does it by itself.
    ///
    /// `None` if `method` is no message push.
    ///
    /// # Errors
    ///
    /// A field that is missing or of the wrong type.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use rtm_proto::event::Message;
    /// use rtm_proto::payload::{Encoding, Payload, PayloadWriter};
    ///
    /// let mut body = BytesMut::new();
    /// let mut out = PayloadWriter::new(&mut body);
    /// out.field("from", &7_i64)
    ///     .field("mtype", &30_i8)
    ///     .field("mid", &1_i64)
    ///     .field("msg", "hello");
    /// out.finish()?;
    /// let push = Payload::new(Encoding::MsgPack, body.freeze())?;
    ///
    /// let message = Message::from_push("pushmsg", &push)?.expect("a message");
    /// assert_eq!(message.body.as_text(), Some("hello"));
    /// assert_eq!(Message::from_push("kickout", &push)?, None);
    /// # Ok::<(), rtm_proto::payload::CodecError>(())
    /// ```
    pub fn from_push(method: &str, payload: &Payload) -> Result<Option<Message>, CodecError> {
        Ok(match decode(method, payload)? {
            Push::Message(message) => Some(message),
            _ => None,
        })
    }
}

fn room_of_kickout(payload: &Payload) -> Result<RoomId, CodecError> {
    let mut room = None;
    payload.fields(|key, value| match key {
        "rid" => value.read_into(&mut room),
        _ => Ok(()),
    })?;
    room.required("rid")
}

#[derive(Default)]
struct Fields {
    from: Option<UserId>,
    to: Option<UserId>,
    gid: Option<GroupId>,
    rid: Option<RoomId>,
    mtype: Option<MessageType>,
    mid: Option<MessageId>,
    msg: Option<Content>,
    attrs: Option<Text>,
    mtime: Option<i64>,
}

fn message(kind: Kind, payload: &Payload) -> Result<Message, CodecError> {
    let mut fields = Fields::default();
    payload.fields(|key, value| match key {
        "from" => value.read_into(&mut fields.from),
        "to" => value.read_into(&mut fields.to),
        "gid" => value.read_into(&mut fields.gid),
        "rid" => value.read_into(&mut fields.rid),
        "mtype" => value.read_into(&mut fields.mtype),
        "mid" => value.read_into(&mut fields.mid),
        "msg" => value.read_into(&mut fields.msg),
        "attrs" => value.read_into(&mut fields.attrs),
        "mtime" => value.read_into(&mut fields.mtime),
        _ => Ok(()),
    })?;
    let conversation = match kind {
        Kind::P2p => Conversation::P2p,
        Kind::Group => Conversation::Group(fields.gid.required("gid")?),
        Kind::Room => Conversation::Room(fields.rid.required("rid")?),
        Kind::Broadcast => Conversation::Broadcast,
    };
    let message_type = fields.mtype.required("mtype")?;
    let content = fields.msg.required("msg")?;
    Ok(Message {
        conversation,
        sender: fields.from.required("from")?,
        recipient: fields.to,
        kind: MessageKind::from(message_type),
        message_type,
        message_id: fields.mid.unwrap_or(MessageId::NONE),
        body: content.body,
        attrs: fields.attrs.map_or_else(String::new, |attrs| attrs.0),
        time_ms: fields.mtime,
        translation: content.translation,
    })
}
