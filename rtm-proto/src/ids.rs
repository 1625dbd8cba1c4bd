//! Identifiers: the numbers that name users, groups, rooms and messages.
//!
//! Every one is a newtype over a signed 64-bit integer, because that is what
//! the service uses and because a user id passed where a group id belongs
//! should not compile.

use core::fmt;

use crate::payload::{CodecError, FromPayload, ToPayload, Value, ValueWriter};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            /// The number itself.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                $name(id)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromPayload for $name {
            fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
                i64::from_value(value).map($name)
            }
        }

        impl ToPayload for $name {
            fn write(&self, w: &mut ValueWriter<'_>) {
                self.0.write(w);
            }
        }
    };
}

id!(
    /// A user of the project; `uid`, `from`, `to` and `ouid` on the wire.
    UserId
);
id!(
    /// A group; `gid` on the wire.
    GroupId
);
id!(
    /// A room; `rid` on the wire.
    RoomId
);
id!(
    /// A message id (`mid` on the wire): chosen by the sender, unique per
    /// sender, and what a resend repeats so that the message arrives once.
    ///
    /// 0 means "none": the client generates an id for such a message.
    MessageId
);

impl MessageId {
    /// No id: the client will choose one.
    pub const NONE: MessageId = MessageId(0);

    /// Whether this is [`MessageId::NONE`].
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// The type of a message (`mtype` on the wire).
///
/// The service accepts 1 to 127; types up to 50 have a meaning of their own,
/// 51 to 127 belong to the application. Any `u8` can be held, because the
/// wire can carry it.
///
/// ```
/// use rtm_proto::MessageType;
/// assert!(MessageType::IMAGE.is_file());
/// assert_eq!(MessageType(66).0, 66);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageType(pub u8);

impl MessageType {
    /// Text chat (`CHAT_TYPE.text` of the JavaScript SDK).
    pub const CHAT: MessageType = MessageType(30);
    /// Audio sent as a message body (`CHAT_TYPE.audio`).
    pub const AUDIO: MessageType = MessageType(31);
    /// Command (`CHAT_TYPE.cmd`).
    pub const COMMAND: MessageType = MessageType(32);
    /// Image file (`FILE_TYPE.image`).
    pub const IMAGE: MessageType = MessageType(40);
    /// Audio file (`FILE_TYPE.audio`).
    pub const AUDIO_FILE: MessageType = MessageType(41);
    /// Video file (`FILE_TYPE.video`).
    pub const VIDEO: MessageType = MessageType(42);
    /// Any other file (`FILE_TYPE.file`).
    pub const FILE: MessageType = MessageType(50);

    /// Whether the type is one of the file types, 40 to 50.
    #[must_use]
    pub const fn is_file(self) -> bool {
        self.0 >= 40 && self.0 <= 50
    }
}

impl From<u8> for MessageType {
    fn from(mtype: u8) -> Self {
        MessageType(mtype)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromPayload for MessageType {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        u8::from_value(value).map(MessageType)
    }
}

impl ToPayload for MessageType {
    fn write(&self, w: &mut ValueWriter<'_>) {
        self.0.write(w);
    }
}
