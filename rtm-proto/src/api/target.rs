//! Where stored messages belong.

use super::message::Recipient;
use crate::event::Conversation;
use crate::ids::{GroupId, RoomId, UserId};

/// The conversation whose stored messages are asked for.
///
/// ```
/// use rtm_proto::api::Target;
/// use rtm_proto::GroupId;
///
/// assert_eq!(Target::from(GroupId(7)), Target::Group(GroupId(7)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The conversation with one user.
    User(UserId),
    /// A group; the caller must be a member.
    Group(GroupId),
    /// A room; the caller must be in it.
    Room(RoomId),
    /// What is sent to all users of the project.
    Broadcast,
}

impl Target {
    /// The kind of conversation, as a message of it has it.
    #[must_use]
    pub const fn conversation(self) -> Conversation {
        match self {
            Target::User(_) => Conversation::P2p,
            Target::Group(group) => Conversation::Group(group),
            Target::Room(room) => Conversation::Room(room),
            Target::Broadcast => Conversation::Broadcast,
        }
    }

    /// `xid` on the wire.
    pub(super) const fn id(self) -> i64 {
        match self {
            Target::User(user) => user.0,
            Target::Group(group) => group.0,
            Target::Room(room) => room.0,
            Target::Broadcast => 0,
        }
    }

    /// `type` on the wire.
    pub(super) const fn kind(self) -> u8 {
        match self {
            Target::User(_) => 1,
            Target::Group(_) => 2,
            Target::Room(_) => 3,
            Target::Broadcast => 4,
        }
    }
}

impl From<UserId> for Target {
    fn from(user: UserId) -> Self {
        Target::User(user)
    }
}

impl From<GroupId> for Target {
    fn from(group: GroupId) -> Self {
        Target::Group(group)
    }
}

impl From<RoomId> for Target {
    fn from(room: RoomId) -> Self {
        Target::Room(room)
    }
}

impl From<Recipient> for Target {
    fn from(recipient: Recipient) -> Self {
        match recipient {
            Recipient::User(user) => Target::User(user),
            Recipient::Group(group) => Target::Group(group),
            Recipient::Room(room) => Target::Room(room),
        }
    }
}
