//! One message of a history.

use alloc::boxed::Box;
use alloc::string::String;

use super::target::Target;
use crate::event::{Body, Content, Conversation, FileInfo, MessageKind, Translation};
use crate::ids::{MessageId, MessageType, UserId};
use crate::payload::{CodecError, CodecErrorKind, FromPayload, Text, Value};

/// A message as the service keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryRecord {
    /// Its place in the history: later messages have larger ones. Not the
    /// message id.
    pub cursor: i64,
    /// Where it was said.
    pub conversation: Conversation,
    /// Who said it.
    pub sender: UserId,
    /// To whom it was said, between two users.
    pub recipient: Option<UserId>,
    /// What sort of message it is; follows from
    /// [`message_type`](Self::message_type).
    pub kind: MessageKind,
    /// The type on the wire.
    pub message_type: MessageType,
    /// The sender's id for it.
    pub message_id: MessageId,
    /// Whether it was deleted. Deleted messages stay in the history; what they
    /// said may be gone.
    pub deleted: bool,
    /// What was said; empty if the service sent none.
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

impl HistoryRecord {
    /// The file that the message tells of; none if it is of another
    /// [`kind`](Self::kind) or was deleted.
    #[must_use]
    pub fn file(&self) -> Option<FileInfo> {
        let is_file = self.message_type.is_file() && !self.deleted;
        is_file.then(|| FileInfo::parse(&self.body, &self.attrs))
    }
}

/// The direction of a message that the user sent to the peer.
const SENT: i64 = 1;

/// A record as it is on the wire: an array of 8, or of more in services to
/// come.
pub(super) struct Tuple {
    cursor: i64,
    /// The sender; between two users the direction.
    from: i64,
    message_type: MessageType,
    message_id: MessageId,
    deleted: bool,
    content: Content,
    attrs: String,
    time_ms: i64,
}

impl FromPayload for Tuple {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        let (mut cursor, mut from, mut message_type, mut message_id) = (None, None, None, None);
        let (mut deleted, mut content, mut attrs, mut time_ms) = (None, None, None, None);
        let mut length = 0;
        value.elements(|index, element| {
            length = index + 1;
            match index {
                0 => element.read_into(&mut cursor),
                1 => element.read_into(&mut from),
                2 => element.read_into(&mut message_type),
                3 => element.read_into(&mut message_id),
                4 => element.read_into(&mut deleted),
                5 => element.read_into(&mut content),
                6 => element.read_into::<Text>(&mut attrs),
                7 => element.read_into(&mut time_ms),
                _ => Ok(()),
            }
        })?;
        if length < 8 {
            return Err(missing(length));
        }
        Ok(Tuple {
            cursor: cursor.ok_or_else(|| missing(0))?,
            from: from.ok_or_else(|| missing(1))?,
            message_type: message_type.ok_or_else(|| missing(2))?,
            message_id: message_id.ok_or_else(|| missing(3))?,
            deleted: deleted.ok_or_else(|| missing(4))?,
            content: content.unwrap_or_else(Content::empty),
            attrs: attrs.map_or_else(String::new, |attrs| attrs.0),
            time_ms: time_ms.ok_or_else(|| missing(7))?,
        })
    }
}

#[cold]
fn missing(index: usize) -> CodecError {
    CodecError::new(CodecErrorKind::Missing).within_index(index)
}

impl Tuple {
    /// The record, as `user` sees it who asked for the history of `target`.
    pub(super) fn record(self, target: Target, user: UserId) -> HistoryRecord {
        let (sender, recipient) = match target {
            Target::User(peer) if self.from == SENT => (user, Some(peer)),
            Target::User(peer) => (peer, Some(user)),
            _ => (UserId(self.from), None),
        };
        HistoryRecord {
            cursor: self.cursor,
            conversation: target.conversation(),
            sender,
            recipient,
            kind: MessageKind::from(self.message_type),
            message_type: self.message_type,
            message_id: self.message_id,
            deleted: self.deleted,
            body: self.content.body,
            attrs: self.attrs,
            time_ms: self.time_ms,
            translation: self.content.translation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::GroupId;
    use crate::payload::{Encoding, Payload};
    use alloc::vec::Vec;

    const HEAD: &[u8] = b"\x81\xa4msgs\x91";
    /// Group message 101 of user 7, type 66, id 5, "hi", attributes "a", at 9.
    const WHOLE: &[u8] = b"\x98\x65\x07\x42\x05\xc2\xa2hi\xa1a\x09";

    fn read(tuple: &[u8]) -> Result<Tuple, CodecError> {
        let payload = Payload::new(Encoding::MsgPack, [HEAD, tuple].concat().into()).unwrap();
        let mut tuples: Option<Vec<Tuple>> = None;
        payload.fields(|_, value| value.read_into(&mut tuples))?;
        Ok(tuples.unwrap().remove(0))
    }

    fn group(tuple: &[u8]) -> HistoryRecord {
        let target = Target::Group(GroupId(3));
        read(tuple).unwrap().record(target, UserId(1))
    }

    fn between(tuple: &[u8]) -> (UserId, Option<UserId>) {
        let target = Target::User(UserId(2));
        let record = read(tuple).unwrap().record(target, UserId(1));
        (record.sender, record.recipient)
    }

    #[test]
    fn a_record_of_a_group_has_its_sender_and_no_recipient() {
        let record = group(WHOLE);
        assert_eq!((record.cursor, record.message_id.0), (101, 5));
        assert_eq!((record.sender, record.recipient), (UserId(7), None));
        assert_eq!(record.conversation, Conversation::Group(GroupId(3)));
        assert_eq!((record.body, record.time_ms), (Body::from("hi"), 9));
        assert!(!record.deleted);
    }

    #[test]
    fn between_users_the_direction_tells_sender_and_recipient() {
        let sent = b"\x98\x65\x01\x42\x05\xc2\xa2hi\xa1a\x09";
        let received = b"\x98\x65\x02\x42\x05\xc2\xa2hi\xa1a\x09";
        assert_eq!(between(sent), (UserId(1), Some(UserId(2))));
        assert_eq!(between(received), (UserId(2), Some(UserId(1))));
    }

    #[test]
    fn attributes_are_text_and_not_bytes_between_users_as_elsewhere() {
        let target = Target::User(UserId(2));
        let tuple = b"\x98\x65\x02\x42\x05\xc2\xa2hi\xc4\x03x\xffy\x09";
        let record = read(tuple).unwrap().record(target, UserId(1));
        assert_eq!(record.attrs, "x\u{fffd}y");
    }

    #[test]
    fn further_elements_are_ignored() {
        let longer = b"\x9a\x65\x07\x42\x05\xc2\xa2hi\xa1a\x09\x81\x01\x02\xc0";
        assert_eq!(group(longer), group(WHOLE));
    }

    #[test]
    fn a_short_record_is_an_invalid_package_that_names_the_element() {
        let error = read(b"\x95\x65\x07\x42\x05\xc2").err().unwrap();
        assert_eq!(
            (error.kind(), error.code()),
            (CodecErrorKind::Missing, 20009)
        );
        assert_eq!(error.field(), Some("msgs[0][5]"));
        let error = read(b"\x90").err().unwrap();
        assert_eq!(error.field(), Some("msgs[0][0]"));
        let nil_id = read(b"\x98\x65\x07\x42\xc0\xc2\xa2hi\xa1a\x09");
        assert_eq!(nil_id.err().unwrap().field(), Some("msgs[0][3]"));
    }

    #[test]
    fn a_record_of_another_shape_or_type_tells_where() {
        let error = read(b"\x80").err().unwrap();
        assert_eq!(
            (error.kind(), error.field()),
            (CodecErrorKind::WrongType, Some("msgs[0]"))
        );
        let error = read(b"\x98\x65\x07\x42\xa1x\xc2\xa2hi\xa1a\x09")
            .err()
            .unwrap();
        assert_eq!(
            (error.kind(), error.field()),
            (CodecErrorKind::WrongType, Some("msgs[0][3]"))
        );
    }

    #[test]
    fn a_deleted_message_is_kept_and_marked_even_without_a_body() {
        let record = group(b"\x98\x65\x07\x32\x05\xc3\xc0\xc0\x09");
        assert!(record.deleted && record.body.is_empty() && record.attrs.is_empty());
        assert_eq!((record.kind, record.file()), (MessageKind::File, None));
    }

    #[test]
    fn a_translated_chat_has_both_texts() {
        let record = group(
            b"\x98\x65\x07\x1e\x05\xc2\x84\xa6source\xa2en\xa6target\xa2fr\xaasourceText\xa2hi\xaatargetText\xa5salut\xa0\x09",
        );
        let translation = record.translation.unwrap();
        assert_eq!(record.body, Body::from("salut"));
        assert_eq!(translation.source_text, "hi");
        assert_eq!(translation.target_language, "fr");
    }

    #[test]
    fn a_file_is_read_from_body_and_attributes() {
        let record = group(b"\x98\x65\x07\x28\x05\xc2\xa3u/1\xae{\"ext\":\"png\"}\x20\x09");
        let file = record.file().unwrap();
        assert_eq!(
            (file.url.as_str(), file.extension.as_deref()),
            ("u/1", Some("png"))
        );
        assert_eq!(group(WHOLE).file(), None);
    }

    #[test]
    fn bytes_that_are_no_text_stay_bytes() {
        let record = group(b"\x98\x65\x07\x1f\x05\xc2\xa2\xc3\x28\xa0\x09");
        assert_eq!(record.body, Body::from(&b"\xc3\x28"[..]));
        let record = group(b"\x98\x65\x07\x42\x05\xc2\xc4\x02hi\xa0\x09");
        assert_eq!(record.body, Body::from(&b"hi"[..]));
    }
}
