//! The names of the 23 events of the JavaScript SDK.
//!
//! They are the constants of its `RTMConfig.SERVER_PUSH`
//! (`highras/rtm-client-sdk-webjs src/rtm/RTMConfig.js`), for programs that
//! come from there; [`Event::push_name`](crate::Event::push_name) gives them.
//! Only four of the message events and the three others are names on the wire
//! too ([`PUSHES`](crate::api::PUSHES)); the rest tell message types apart.

macro_rules! push_names {
    ($($constant:ident = $name:literal, $seed:literal, $what:literal;)+) => {
        $(
            #[doc = concat!("`SERVER_PUSH.", $seed, "`: ", $what, ".")]
            pub const $constant: &str = $name;
        )+

        /// Every name.
        pub const ALL: &[&str] = &[$($constant),+];
    };
}

push_names! {
    KICK_OUT = "kickout", "kickOut", "the gate ended the session";
    KICK_OUT_ROOM = "kickoutroom", "kickOutRoom", "the gate removed the user from a room";
    RECV_PING = "ping", "recvPing", "the gate checked whether the client is alive";
    RECV_MESSAGE = "pushmsg", "recvMessage", "a message from a user";
    RECV_GROUP_MESSAGE = "pushgroupmsg", "recvGroupMessage", "a message in a group";
    RECV_ROOM_MESSAGE = "pushroommsg", "recvRoomMessage", "a message in a room";
    RECV_BROADCAST_MESSAGE = "pushbroadcastmsg", "recvBroadcastMessage", "a message to all users";
    RECV_FILE = "pushfile", "recvFile", "a file from a user";
    RECV_GROUP_FILE = "pushgroupfile", "recvGroupFile", "a file in a group";
    RECV_ROOM_FILE = "pushroomfile", "recvRoomFile", "a file in a room";
    RECV_BROADCAST_FILE = "pushbroadcastfile", "recvBroadcastFile", "a file to all users";
    RECV_CHAT = "pushchat", "recvChat", "a text chat from a user";
    RECV_GROUP_CHAT = "pushgroupchat", "recvGroupChat", "a text chat in a group";
    RECV_ROOM_CHAT = "pushroomchat", "recvRoomChat", "a text chat in a room";
    RECV_BROADCAST_CHAT = "pushbroadcastchat", "recvBroadcastChat", "a text chat to all users";
    RECV_AUDIO = "pushaudio", "recvAudio", "audio from a user";
    RECV_GROUP_AUDIO = "pushgroupaudio", "recvGroupAudio", "audio in a group";
    RECV_ROOM_AUDIO = "pushroomaudio", "recvRoomAudio", "audio in a room";
    RECV_BROADCAST_AUDIO = "pushbroadcastaudio", "recvBroadcastAudio", "audio to all users";
    RECV_CMD = "pushcmd", "recvCmd", "a command from a user";
    RECV_GROUP_CMD = "pushgroupcmd", "recvGroupCmd", "a command in a group";
    RECV_ROOM_CMD = "pushroomcmd", "recvRoomCmd", "a command in a room";
    RECV_BROADCAST_CMD = "pushbroadcastcmd", "recvBroadcastCmd", "a command to all users";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Conversation, Message, MessageKind};
    use crate::ids::{GroupId, MessageId, MessageType, RoomId, UserId};
    use alloc::collections::BTreeSet;
    use alloc::string::String;

    #[test]
    fn conversations_and_kinds_together_have_the_twenty_names_of_messages() {
        let conversations = [
            Conversation::P2p,
            Conversation::Group(GroupId(1)),
            Conversation::Room(RoomId(1)),
            Conversation::Broadcast,
        ];
        let mut names = BTreeSet::from([KICK_OUT, KICK_OUT_ROOM, RECV_PING]);
        for conversation in conversations {
            for mtype in [66, 30, 31, 32, 50] {
                let message = Message {
                    conversation,
                    sender: UserId(1),
                    recipient: None,
                    kind: MessageKind::from(MessageType(mtype)),
                    message_type: MessageType(mtype),
                    message_id: MessageId::NONE,
                    body: Body::from(""),
                    attrs: String::new(),
                    time_ms: None,
                    translation: None,
                };
                names.insert(message.push_name());
            }
        }
        assert_eq!(names, ALL.iter().copied().collect());
        assert_eq!(ALL.len(), 23);
    }

    #[test]
    fn names_follow_from_the_kind_of_conversation_and_message() {
        assert_eq!(RECV_ROOM_CMD, "pushroomcmd");
        assert_eq!(RECV_BROADCAST_FILE, "pushbroadcastfile");
    }
}
