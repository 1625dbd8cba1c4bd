//! Reads the pushes of a gate.

use alloc::boxed::Box;
use alloc::string::String;

use bytes::Bytes;

use super::message::{Body, Conversation, Message, MessageKind, Translation};
use crate::ids::{GroupId, MessageId, MessageType, RoomId, UserId};
use crate::payload::{
    COPY_BELOW, CodecError, Payload, Required, Text, TextOrBytes, Value, ValueKind,
};

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

enum Content {
    Plain(TextOrBytes),
    Translated(Box<Translation>),
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
        "msg" => {
            fields.msg = content(value)?;
            Ok(())
        }
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
    let (body, translation) = match fields.msg.required("msg")? {
        Content::Plain(TextOrBytes::Text(text)) => (Body::Text(text), None),
        Content::Plain(TextOrBytes::Bytes(bytes)) => (Body::Binary(unpinned(bytes)), None),
        Content::Translated(translation) => (
            Body::Text(plain_text(&translation).into()),
            Some(translation),
        ),
    };
    Ok(Message {
        conversation,
        sender: fields.from.required("from")?,
        recipient: fields.to,
        kind: MessageKind::from(message_type),
        message_type,
        message_id: fields.mid.unwrap_or(MessageId::NONE),
        body,
        attrs: fields.attrs.map_or_else(String::new, |attrs| attrs.0),
        time_ms: fields.mtime,
        translation,
    })
}

fn content(value: Value<'_>) -> Result<Option<Content>, CodecError> {
    match value.kind() {
        ValueKind::Nil => Ok(None),
        ValueKind::Map => translation(value).map(|t| Some(Content::Translated(Box::new(t)))),
        _ => value.read().map(|body| Some(Content::Plain(body))),
    }
}

fn translation(value: Value<'_>) -> Result<Translation, CodecError> {
    let mut translation = Translation::default();
    value.entries(|key, value| {
        let slot = match key.read::<Text>()?.0.as_str() {
            "source" => &mut translation.source_language,
            "target" => &mut translation.target_language,
            "sourceText" => &mut translation.source_text,
            "targetText" => &mut translation.target_text,
            _ => return Ok(()),
        };
        if let Some(text) = value.read::<Option<Text>>()? {
            *slot = text.0;
        }
        Ok(())
    })?;
    Ok(translation)
}

fn plain_text(translation: &Translation) -> &str {
    if translation.target_text.is_empty() {
        &translation.source_text
    } else {
        &translation.target_text
    }
}

fn unpinned(bytes: Bytes) -> Bytes {
    if bytes.len() < COPY_BELOW {
        Bytes::copy_from_slice(&bytes)
    } else {
        bytes
    }
}
