//! Single messages of the past.
//!
//! Wire methods: `getmsg`, `delmsg`.

use alloc::boxed::Box;
use alloc::string::String;

use super::target::Target;
use super::{Caller, decode_nothing};
use crate::error::RequestError;
use crate::event::{Body, Content, FileInfo, MessageKind, Translation};
use crate::ids::{MessageId, MessageType, UserId};
use crate::payload::{CodecError, Payload, PayloadWriter, Required, Text};
use crate::request::{Context, Request};

/// Which stored message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Which {
    target: Target,
    message_id: MessageId,
    sender: Option<UserId>,
}

impl Which {
    fn new(target: Target, message_id: MessageId) -> Self {
        Which {
            target,
            message_id,
            sender: None,
        }
    }

    fn encode(&self, out: &mut PayloadWriter<'_>) {
        out.field("mid", &self.message_id)
            .field("xid", &self.target.id())
            .field("type", &self.target.kind())
            .field_opt("from", self.sender.as_ref());
    }
}

/// Reads one message (`getmsg`).
///
/// One must be a member of the group (200041) or in the room (200040). Newer
/// services answer 200070 if there is no such message. Broadcasts can be read
/// from newer services only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetMessage {
    which: Which,
}

impl GetMessage {
    /// The message `message_id` of a conversation.
    pub fn new(target: impl Into<Target>, message_id: impl Into<MessageId>) -> Self {
        GetMessage {
            which: Which::new(target.into(), message_id.into()),
        }
    }

    /// Who sent it (`from`; default: not sent). Newer services need it to tell
    /// apart messages to which two senders gave the same id.
    #[must_use]
    pub fn sender(mut self, sender: impl Into<UserId>) -> Self {
        self.which.sender = Some(sender.into());
        self
    }
}

/// One message as the service keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredMessage {
    /// Its place in the history of its conversation. Not the message id.
    pub cursor: i64,
    /// What sort of message it is; follows from
    /// [`message_type`](Self::message_type).
    pub kind: MessageKind,
    /// The type on the wire.
    pub message_type: MessageType,
    /// What was said.
    pub body: Body,
    /// The attributes the sender attached; empty if there are none. Bytes
    /// that are not UTF-8 are replaced.
    pub attrs: String,
    /// When the service took the message, in milliseconds since 1970 UTC.
    pub time_ms: i64,
    /// The original and the translation of a chat, when the user set a
    /// language and the service translated it.
    pub translation: Option<Box<Translation>>,
}

impl StoredMessage {
    /// The file that the message tells of; none if it is of another
    /// [`kind`](Self::kind).
    #[must_use]
    pub fn file(&self) -> Option<FileInfo> {
        let is_file = self.message_type.is_file();
        is_file.then(|| FileInfo::parse(&self.body, &self.attrs))
    }
}

impl Request for GetMessage {
    type Response = StoredMessage;

    fn method(&self) -> &str {
        "getmsg"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        self.which.encode(out);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<StoredMessage, CodecError> {
        let (mut cursor, mut message_type, mut time_ms) = (None, None, None);
        let mut content: Option<Content> = None;
        let mut attrs: Option<Text> = None;
        answer.fields(|key, value| match key {
            "id" => value.read_into(&mut cursor),
            "mtype" => value.read_into(&mut message_type),
            "msg" => value.read_into(&mut content),
            "attrs" => value.read_into(&mut attrs),
            "mtime" => value.read_into(&mut time_ms),
            _ => Ok(()),
        })?;
        let message_type = message_type.required("mtype")?;
        let content = content.required("msg")?;
        Ok(StoredMessage {
            cursor: cursor.required("id")?,
            kind: MessageKind::from(message_type),
            message_type,
            body: content.body,
            attrs: attrs.required("attrs")?.0,
            time_ms: time_ms.required("mtime")?,
            translation: content.translation,
        })
    }
}

/// Deletes one message (`delmsg`).
///
/// It stays in the history, marked as deleted. One must be a member of the
/// group (200041) or in the room (200040).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteMessage {
    which: Which,
}

impl DeleteMessage {
    /// Deletes the message `message_id` of a conversation.
    pub fn new(target: impl Into<Target>, message_id: impl Into<MessageId>) -> Self {
        DeleteMessage {
            which: Which::new(target.into(), message_id.into()),
        }
    }

    /// Who sent it (`from`; default: not sent). Newer services need it to tell
    /// apart messages to which two senders gave the same id.
    #[must_use]
    pub fn sender(mut self, sender: impl Into<UserId>) -> Self {
        self.which.sender = Some(sender.into());
        self
    }
}

impl Request for DeleteMessage {
    type Response = ();

    fn method(&self) -> &str {
        "delmsg"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        self.which.encode(out);
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<(), CodecError> {
        decode_nothing(&answer)
    }
}

/// Single messages of the past.
///
/// A conversation is named by a [`UserId`], a
/// [`GroupId`](crate::GroupId), a [`RoomId`](crate::RoomId) or a [`Target`].
/// The methods name no sender; to do so, build the request and `call` it.
pub trait StoredMessageApi: Caller {
    /// Reads one message (`getMessage`). Gives a [`StoredMessage`].
    #[doc(alias = "getMessage")]
    fn get_message(
        &self,
        target: impl Into<Target>,
        message_id: impl Into<MessageId>,
    ) -> Self::Reply<GetMessage> {
        self.call(GetMessage::new(target, message_id))
    }

    /// Reads one chat (`getChat`); the same as
    /// [`get_message`](Self::get_message). Gives a [`StoredMessage`].
    #[doc(alias = "getChat")]
    fn get_chat(
        &self,
        target: impl Into<Target>,
        message_id: impl Into<MessageId>,
    ) -> Self::Reply<GetMessage> {
        self.call(GetMessage::new(target, message_id))
    }

    /// Deletes one message (`deleteMessage`).
    #[doc(alias = "deleteMessage")]
    fn delete_message(
        &self,
        target: impl Into<Target>,
        message_id: impl Into<MessageId>,
    ) -> Self::Reply<DeleteMessage> {
        self.call(DeleteMessage::new(target, message_id))
    }

    /// Deletes one chat (`deleteChat`); the same as
    /// [`delete_message`](Self::delete_message).
    #[doc(alias = "deleteChat")]
    fn delete_chat(
        &self,
        target: impl Into<Target>,
        message_id: impl Into<MessageId>,
    ) -> Self::Reply<DeleteMessage> {
        self.call(DeleteMessage::new(target, message_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{CodecErrorKind, Encoding};

    fn decode(fields: &[u8]) -> Result<StoredMessage, CodecError> {
        let answer = Payload::new(Encoding::MsgPack, fields.to_vec().into()).unwrap();
        GetMessage::new(UserId(2), 5).decode(&Context::default(), answer)
    }

    #[test]
    fn text_and_attributes_are_text_and_not_bytes() {
        let text = b"\x85\xa2id\x65\xa5mtype\x1e\xa3msg\xa5hello\xa5attrs\xa1x\xa5mtime\x09";
        let message = decode(text).unwrap();
        assert_eq!(message.body, Body::from("hello"));
        assert_eq!((message.attrs.as_str(), message.cursor), ("x", 101));
        assert_eq!((message.kind, message.file()), (MessageKind::Chat, None));
    }

    #[test]
    fn bytes_stay_bytes_even_where_they_are_text() {
        let bytes = b"\x85\xa2id\x65\xa5mtype\x42\xa3msg\xc4\x02hi\xa5attrs\xa0\xa5mtime\x09";
        assert_eq!(decode(bytes).unwrap().body, Body::from(&b"hi"[..]));
    }

    #[test]
    fn a_file_is_read_from_body_and_attributes() {
        let file = b"\x85\xa2id\x65\xa5mtype\x32\xa3msg\xa3u/1\xa5attrs\xae{\"ext\":\"png\"} \xa5mtime\x09";
        let file = decode(file).unwrap().file().unwrap();
        assert_eq!(
            (file.url.as_str(), file.extension.as_deref()),
            ("u/1", Some("png"))
        );
    }

    #[test]
    fn a_missing_field_fails_the_call_by_name() {
        let error = decode(b"\x84\xa2id\x65\xa5mtype\x1e\xa3msg\xa5hello\xa5mtime\x09");
        let error = error.unwrap_err();
        assert_eq!(
            (error.kind(), error.field()),
            (CodecErrorKind::Missing, Some("attrs"))
        );
    }
}
