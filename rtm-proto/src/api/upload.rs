//! Sending files to users, groups and rooms.
//!
//! A file is one call. Behind it the client asks the gate for a token
//! (`filetoken`), opens a connection of its own to the file gate, sends the
//! file there (`sendfile`, `sendgroupfile`, `sendroomfile`) and closes it. What
//! happens to that connection never touches the session.

use alloc::format;
use alloc::string::{String, ToString};

use bytes::Bytes;
use md5::{Digest, Md5};

use super::Caller;
use super::message::{Receipt, Recipient};
use crate::config::FileSignature;
use crate::error::{ErrorCode, RequestError};
use crate::ids::{GroupId, MessageId, MessageType, RoomId, UserId};
use crate::payload::{Bin, CodecError, Payload, PayloadWriter};
use crate::request::{Context, MessageOptions, Request};

/// The largest file the service takes, in bytes: 5 MiB.
pub const MAX_FILE_LEN: usize = 5 * 1024 * 1024;

/// A file on its way: the content, and what the receiver is told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    recipient: Recipient,
    message_type: MessageType,
    content: Bytes,
    name: Option<String>,
    extension: Option<String>,
    attrs: String,
}

impl Upload {
    /// The file's content.
    #[must_use]
    pub const fn content(&self) -> &Bytes {
        &self.content
    }

    /// The method of the file gate, which is also the `cmd` of `filetoken`.
    pub(crate) const fn method(&self) -> &'static str {
        match self.recipient {
            Recipient::User(_) => "sendfile",
            Recipient::Group(_) => "sendgroupfile",
            Recipient::Room(_) => "sendroomfile",
        }
    }

    /// Writes the parameters of `filetoken`.
    pub(crate) fn write_token_request(&self, out: &mut PayloadWriter<'_>) {
        out.field("cmd", self.method());
        self.write_recipient(out);
    }

    /// Writes the parameters of the file gate's method.
    pub(crate) fn write_file(
        &self,
        context: &Context,
        token: &str,
        signature: FileSignature,
        out: &mut PayloadWriter<'_>,
    ) {
        let attrs = self.file_attrs(token, signature);
        out.field("pid", &context.project_id);
        out.field("from", &context.user_id);
        self.write_recipient(out);
        out.field("mid", &context.message_id)
            .field("mtype", &self.message_type)
            .field("token", token)
            .field("attrs", attrs.as_str())
            .field("file", &Bin(&self.content));
    }

    fn write_recipient(&self, out: &mut PayloadWriter<'_>) {
        match &self.recipient {
            Recipient::User(user) => out.field("to", user),
            Recipient::Group(group) => out.field("gid", group),
            Recipient::Room(room) => out.field("rid", room),
        };
    }

    fn check(&self, context: &Context) -> Result<(), RequestError> {
        if !context.check_arguments {
            return Ok(());
        }
        if !self.message_type.is_file() {
            let why = format!("{} is not a file type from 40 to 50", self.message_type);
            let code = ErrorCode::INVALID_FILE_MTYPE;
            return Err(RequestError::invalid("mtype", code, why));
        }
        if self.content.len() > MAX_FILE_LEN {
            let why = format!("{} bytes, the limit is {MAX_FILE_LEN}", self.content.len());
            let code = ErrorCode::LARGE_FILE_OR_ATTRS;
            return Err(RequestError::invalid("file", code, why));
        }
        Ok(())
    }

    /// The JSON text that carries the signature.
    fn file_attrs(&self, token: &str, signature: FileSignature) -> String {
        let sign = sign(&self.content, token, signature);
        let mut file = serde_json::Map::new();
        file.insert("sign".into(), sign.into());
        match signature {
            FileSignature::Seed => {
                // The gate wants both keys, also of a file without extension.
                let extension = self.extension.clone().unwrap_or_default();
                file.insert("ext".into(), extension.into());
                serde_json::Value::Object(file).to_string()
            }
            FileSignature::Current => {
                if let Some(extension) = &self.extension {
                    file.insert("ext".into(), extension.as_str().into());
                }
                if let Some(name) = &self.name {
                    file.insert("filename".into(), name.as_str().into());
                }
                let mut attrs = serde_json::Map::new();
                attrs.insert("rtm".into(), file.into());
                attrs.insert("custom".into(), self.attrs.as_str().into());
                serde_json::Value::Object(attrs).to_string()
            }
        }
    }
}

/// `md5(md5(content) ":" token)` in hexadecimal. The case of the inner hash
/// changes the result, so the two settings are different signatures.
fn sign(content: &[u8], token: &str, signature: FileSignature) -> String {
    let hex = |hash: &[u8]| -> String {
        hash.iter()
            .map(|byte| match signature {
                FileSignature::Seed => format!("{byte:02X}"),
                FileSignature::Current => format!("{byte:02x}"),
            })
            .collect()
    };
    let inner = hex(&Md5::digest(content));
    hex(&Md5::digest(format!("{inner}:{token}")))
}

/// Sends a file (`filetoken`, then `sendfile`, `sendgroupfile` or
/// `sendroomfile`). Gives a [`Receipt`].
///
/// The service takes files of up to 5 MiB. The time limit of the call covers
/// all its steps and is
/// [`Config::file_timeout`](crate::Config::file_timeout) unless the options
/// say otherwise. [`Event::UploadProgress`](crate::Event::UploadProgress)
/// tells how far it is.
///
/// With [`resend_on_loss`](crate::RequestOptions::resend_on_loss) a transfer
/// that breaks off starts again with a new file token and the same message id.
///
/// ```
/// use rtm_proto::api::SendFile;
/// use rtm_proto::{MessageType, UserId};
///
/// let content = vec![0x89, 0x50, 0x4e, 0x47];
/// let request = SendFile::new(UserId(7), MessageType::IMAGE, content).name("cat.png");
/// # let _ = request;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendFile {
    upload: Upload,
    options: MessageOptions,
}

impl SendFile {
    /// Sends `content` as a file of `message_type`, 40 to 50.
    pub fn new(
        to: impl Into<Recipient>,
        message_type: impl Into<MessageType>,
        content: impl Into<Bytes>,
    ) -> Self {
        SendFile {
            upload: Upload {
                recipient: to.into(),
                message_type: message_type.into(),
                content: content.into(),
                name: None,
                extension: None,
                attrs: String::new(),
            },
            options: MessageOptions::default(),
        }
    }

    /// The file's name. What follows its last dot becomes the extension,
    /// unless [`extension`](Self::extension) was given.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if self.upload.extension.is_none() {
            let extension = name.rsplit_once('.').map(|(_, extension)| extension);
            self.upload.extension = extension.map(ToString::to_string);
        }
        self.upload.name = Some(name);
        self
    }

    /// The file's extension, without the dot.
    #[must_use]
    pub fn extension(mut self, extension: impl Into<String>) -> Self {
        self.upload.extension = Some(extension.into());
        self
    }

    /// Attributes of the application that travel with the file (default:
    /// empty). Only [`FileSignature::Current`] has a place for them; with
    /// [`FileSignature::Seed`] the call is refused.
    #[must_use]
    pub fn attrs(mut self, attrs: impl Into<String>) -> Self {
        self.upload.attrs = attrs.into();
        self
    }

    /// The message's id (default: zero, which has one generated).
    #[must_use]
    pub fn message_id(mut self, id: MessageId) -> Self {
        self.options = MessageOptions { id, resend: false };
        self
    }

    /// Marks the file as a resend of one that may have arrived; see
    /// [`SendMessage::resend`](super::SendMessage::resend).
    #[must_use]
    pub fn resend(mut self, id: MessageId) -> Self {
        self.options = MessageOptions { id, resend: true };
        self
    }
}

impl Request for SendFile {
    type Response = Receipt;

    fn method(&self) -> &str {
        self.upload.method()
    }

    /// Checks the file; the client writes the two quests of a file itself.
    fn encode(&self, context: &Context, _: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        self.upload.check(context)?;
        if context.file_signature == FileSignature::Seed && !self.upload.attrs.is_empty() {
            let code = ErrorCode::INVALID_PARAMETER;
            let why = "the seed's file attributes have no place for attributes of the application";
            return Err(RequestError::invalid("attrs", code, why));
        }
        Ok(())
    }

    fn decode(&self, context: &Context, answer: Payload) -> Result<Receipt, CodecError> {
        Receipt::decode(context, &answer)
    }

    fn message(&self) -> Option<MessageOptions> {
        Some(self.options)
    }

    fn upload(&self) -> Option<&Upload> {
        Some(&self.upload)
    }
}

/// Sends files.
///
/// Every method generates a message id; to give one, or to name the file,
/// build a [`SendFile`] and `call` it.
pub trait UploadApi: Caller {
    /// Sends a file to a user (`sendFile`). Gives a [`Receipt`].
    #[doc(alias = "sendFile")]
    fn send_file(
        &self,
        to: impl Into<UserId>,
        message_type: impl Into<MessageType>,
        content: impl Into<Bytes>,
    ) -> Self::Reply<SendFile> {
        self.call(SendFile::new(to.into(), message_type, content))
    }

    /// Sends a file to a group (`sendGroupFile`). Gives a [`Receipt`].
    #[doc(alias = "sendGroupFile")]
    fn send_group_file(
        &self,
        group: impl Into<GroupId>,
        message_type: impl Into<MessageType>,
        content: impl Into<Bytes>,
    ) -> Self::Reply<SendFile> {
        self.call(SendFile::new(group.into(), message_type, content))
    }

    /// Sends a file to a room (`sendRoomFile`). Gives a [`Receipt`].
    #[doc(alias = "sendRoomFile")]
    fn send_room_file(
        &self,
        room: impl Into<RoomId>,
        message_type: impl Into<MessageType>,
        content: impl Into<Bytes>,
    ) -> Self::Reply<SendFile> {
        self.call(SendFile::new(room.into(), message_type, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_signatures_of_a_file_differ_in_more_than_case() {
        assert_eq!(
            sign(b"hello", "TOKEN", FileSignature::Current),
            "efbbfb6ee28aded63a1c810239aa36b0"
        );
        assert_eq!(
            sign(b"hello", "TOKEN", FileSignature::Seed),
            "41A6D28874203C475362A74B45677CB4"
        );
    }

    #[test]
    fn seed_attributes_always_have_both_keys() {
        let file = SendFile::new(UserId(1), MessageType::FILE, &b"hello"[..]).name("README");
        assert_eq!(
            file.upload.file_attrs("TOKEN", FileSignature::Seed),
            r#"{"ext":"","sign":"41A6D28874203C475362A74B45677CB4"}"#
        );
    }

    #[test]
    fn current_attributes_name_the_file_and_carry_the_applications_own() {
        let file = SendFile::new(UserId(1), MessageType::IMAGE, &b"hello"[..])
            .name("cat \"x\".png")
            .attrs("mine");
        let attrs = file.upload.file_attrs("TOKEN", FileSignature::Current);
        let attrs: serde_json::Value = serde_json::from_str(&attrs).unwrap();
        assert_eq!(
            attrs,
            serde_json::json!({
                "rtm": {
                    "sign": "efbbfb6ee28aded63a1c810239aa36b0",
                    "ext": "png",
                    "filename": "cat \"x\".png",
                },
                "custom": "mine",
            })
        );
    }
}
