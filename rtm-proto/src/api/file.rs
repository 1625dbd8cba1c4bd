//! Permission to upload a file.
//!
//! Files do not go through the gate: it names a file gate and a token for one
//! upload.
//!
//! Wire method: `filetoken`.

use alloc::string::String;
use alloc::vec::Vec;

use super::message::Recipient;
use super::{Caller, ids};
use crate::config::Token;
use crate::error::RequestError;
use crate::ids::{GroupId, RoomId, UserId};
use crate::payload::{CodecError, Payload, PayloadWriter, Required};
use crate::request::{Context, Request};

/// What the upload will be: the method that the file gate is to be called
/// with (`cmd`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FileCommand {
    /// A file to a user: `"sendfile"`.
    SendFile,
    /// A file to a group: `"sendgroupfile"`.
    SendGroupFile,
    /// A file to a room: `"sendroomfile"`.
    SendRoomFile,
    /// A file to several users, in old services: `"sendfiles"`.
    SendFiles,
    /// A file to nobody, in newer services: `"uploadfile"`.
    UploadFile,
    /// A command that this list does not know.
    Other(String),
}

impl FileCommand {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            FileCommand::SendFile => "sendfile",
            FileCommand::SendGroupFile => "sendgroupfile",
            FileCommand::SendRoomFile => "sendroomfile",
            FileCommand::SendFiles => "sendfiles",
            FileCommand::UploadFile => "uploadfile",
            FileCommand::Other(name) => name,
        }
    }
}

impl From<&str> for FileCommand {
    fn from(name: &str) -> Self {
        match name {
            "sendfile" => FileCommand::SendFile,
            "sendgroupfile" => FileCommand::SendGroupFile,
            "sendroomfile" => FileCommand::SendRoomFile,
            "sendfiles" => FileCommand::SendFiles,
            "uploadfile" => FileCommand::UploadFile,
            other => FileCommand::Other(other.into()),
        }
    }
}

/// Asks for permission to upload a file (`filetoken`).
///
/// The recipients are independent of each other and of the command; as a rule
/// there is one, which [`for_recipient`](Self::for_recipient) sets. Errors
/// worth knowing: 200041 and 200040 for a group or room one is not in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetFileToken {
    command: FileCommand,
    user: Option<UserId>,
    users: Option<Vec<UserId>>,
    group: Option<GroupId>,
    room: Option<RoomId>,
}

impl GetFileToken {
    /// Permission for `command`, to nobody yet.
    pub fn new(command: impl Into<FileCommand>) -> Self {
        GetFileToken {
            command: command.into(),
            user: None,
            users: None,
            group: None,
            room: None,
        }
    }

    /// Permission to send a file to `recipient`.
    pub fn for_recipient(recipient: impl Into<Recipient>) -> Self {
        match recipient.into() {
            Recipient::User(user) => GetFileToken::new(FileCommand::SendFile).to_user(user),
            Recipient::Group(group) => {
                GetFileToken::new(FileCommand::SendGroupFile).to_group(group)
            }
            Recipient::Room(room) => GetFileToken::new(FileCommand::SendRoomFile).to_room(room),
        }
    }

    /// The user it goes to (`to`; default: not sent).
    #[must_use]
    pub fn to_user(mut self, user: impl Into<UserId>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The users it goes to (`tos`; default: not sent).
    #[must_use]
    pub fn to_users(mut self, users: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        self.users = Some(ids(users));
        self
    }

    /// The group it goes to (`gid`; default: not sent).
    #[must_use]
    pub fn to_group(mut self, group: impl Into<GroupId>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// The room it goes to (`rid`; default: not sent).
    #[must_use]
    pub fn to_room(mut self, room: impl Into<RoomId>) -> Self {
        self.room = Some(room.into());
        self
    }
}

/// Permission for one upload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileToken {
    /// What the upload has to show; good for one.
    pub token: Token,
    /// Where to upload: `host:port` of a file gate.
    pub endpoint: String,
}

impl Request for GetFileToken {
    type Response = FileToken;

    fn method(&self) -> &str {
        "filetoken"
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        out.field("cmd", self.command.as_str())
            .field_opt("tos", self.users.as_ref())
            .field_opt("to", self.user.as_ref())
            .field_opt("rid", self.room.as_ref())
            .field_opt("gid", self.group.as_ref());
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<FileToken, CodecError> {
        let (mut token, mut endpoint): (Option<String>, Option<String>) = (None, None);
        answer.fields(|key, value| match key {
            "token" => value.read_into(&mut token),
            "endpoint" => value.read_into(&mut endpoint),
            _ => Ok(()),
        })?;
        Ok(FileToken {
            token: token.required("token")?.into(),
            endpoint: endpoint.required("endpoint")?,
        })
    }
}

/// Files.
pub trait FileApi: Caller {
    /// Asks for permission to upload a file for a user, group or room
    /// (`fileToken`). Gives a [`FileToken`].
    #[doc(alias = "fileToken")]
    fn get_file_token(&self, recipient: impl Into<Recipient>) -> Self::Reply<GetFileToken> {
        self.call(GetFileToken::for_recipient(recipient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{CodecErrorKind, Encoding};
    use alloc::format;
    use bytes::Bytes;

    fn decode(json: &'static str) -> Result<FileToken, CodecError> {
        let json = Bytes::from_static(json.as_bytes());
        let answer = Payload::new(Encoding::Json, json).unwrap();
        GetFileToken::for_recipient(UserId(1)).decode(&Context::default(), answer)
    }

    #[test]
    fn an_answer_without_token_or_endpoint_is_a_failure() {
        let granted = decode(r#"{"token":"secret","endpoint":"1.2.3.4:5"}"#).unwrap();
        assert_eq!(granted.token.expose(), "secret");
        assert!(!format!("{granted:?}").contains("secret"));
        for (answer, lacks) in [
            (r#"{"token":"t"}"#, "endpoint"),
            (r#"{"endpoint":"e"}"#, "token"),
        ] {
            let error = decode(answer).unwrap_err();
            assert_eq!(
                (error.kind(), error.field()),
                (CodecErrorKind::Missing, Some(lacks))
            );
        }
    }
}
