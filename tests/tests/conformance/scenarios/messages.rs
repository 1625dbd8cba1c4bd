//! Messages of every kind, to everybody there is.

use rtm_proto::api::{Caller, Custom, MessageApi, Receipt, RoomApi};
use rtm_proto::error::RequestError;
use rtm_proto::{Body, Conversation, GroupId, Message, MessageKind, MessageType, RoomId, UserId};

use crate::adapters::Adapter;
use crate::stage::{Reader, Stage, Tester, Transport};

const ROOM: i64 = 4711;
const TEXT: &str = "你好 🎉 – naïve café";

/// Ann, who sends, and Bob, who reads; both are in a group and a room.
fn ann_and_bob<A: Adapter>(stage: &Stage<A>) -> (Tester<A>, Reader<A>) {
    let (ann, bob) = (stage.login(0), stage.login(1));
    for client in [&ann, &bob] {
        client.enter_room(ROOM).unwrap();
    }
    // A reader keeps no client alive; the room does not matter to the gate
    // once a session ended.
    let events = bob.events();
    std::mem::forget(bob);
    (ann, events)
}

/// Reads the message that was sent.
fn arrives<A: Adapter>(
    bob: &mut Reader<A>,
    receipt: Result<Receipt, RequestError>,
    kind: MessageKind,
) -> Message {
    let receipt = receipt.unwrap();
    let message = bob.message();
    assert_eq!(receipt.message_id, message.message_id);
    assert_eq!(message.kind, kind);
    message
}

pub(crate) fn text_of_every_kind_arrives<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let (ann, mut bob) = ann_and_bob(&stage);
    let (to, group) = (stage.user(1), stage.gate.group());
    let places = [
        Conversation::P2p,
        Conversation::Group(GroupId(group)),
        Conversation::Room(RoomId(ROOM)),
    ];
    for place in places {
        let sends = match place {
            Conversation::Group(_) => [
                (ann.send_group_message(group, 66, TEXT), MessageKind::Plain),
                (ann.send_group_chat(group, TEXT), MessageKind::Chat),
                (ann.send_group_audio(group, TEXT), MessageKind::Audio),
                (ann.send_group_cmd(group, TEXT), MessageKind::Command),
            ],
            Conversation::Room(_) => [
                (ann.send_room_message(ROOM, 66, TEXT), MessageKind::Plain),
                (ann.send_room_chat(ROOM, TEXT), MessageKind::Chat),
                (ann.send_room_audio(ROOM, TEXT), MessageKind::Audio),
                (ann.send_room_cmd(ROOM, TEXT), MessageKind::Command),
            ],
            _ => [
                (ann.send_message(to, 66, TEXT), MessageKind::Plain),
                (ann.send_chat(to, TEXT), MessageKind::Chat),
                (ann.send_audio(to, TEXT), MessageKind::Audio),
                (ann.send_cmd(to, TEXT), MessageKind::Command),
            ],
        };
        for (receipt, kind) in sends {
            let message = arrives(&mut bob, receipt, kind);
            assert_eq!(message.conversation, place);
            assert_eq!(i64::from(message.sender), stage.user(0));
            assert_eq!(message.body.as_text(), Some(TEXT));
        }
    }
}

/// Only the project's own server can send them.
pub(crate) fn broadcasts_of_every_kind_arrive<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    let mut events = client.events();
    for (mtype, kind) in [
        (66, MessageKind::Plain),
        (30, MessageKind::Chat),
        (31, MessageKind::Audio),
        (32, MessageKind::Command),
        (40, MessageKind::File),
    ] {
        stage.gate.broadcast(5, mtype, TEXT);
        let message = events.message();
        assert_eq!(message.conversation, Conversation::Broadcast);
        assert_eq!((message.kind, message.sender), (kind, UserId(5)));
        assert_eq!(message.body.as_text(), Some(TEXT));
    }
}

pub(crate) fn bytes_arrive_unchanged<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let (ann, mut bob) = ann_and_bob(&stage);
    let (to, group) = (stage.user(1), stage.gate.group());
    let bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let body = || Body::from(bytes.clone());
    for receipt in [
        ann.send_message(to, 66, body()),
        ann.send_group_message(group, 66, body()),
        ann.send_room_message(ROOM, MessageType(66), body()),
    ] {
        let message = arrives(&mut bob, receipt, MessageKind::Plain);
        assert_eq!(message.body, body());
    }
    arrives(&mut bob, ann.send_audio(to, body()), MessageKind::Audio);
}

pub(crate) fn pushes_keep_their_order_and_are_answered<A: Adapter>(transport: Transport) {
    const COUNT: i64 = 2000;
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    let mut events = client.events();
    let quest = Custom::new("t_push")
        .field("n", COUNT)
        .field("len", 100)
        .field("mid0", 1);
    client.call(quest).unwrap();
    for id in 1..=COUNT {
        assert_eq!(i64::from(events.message().message_id), id);
    }
    stage.sees("an answer to each push", |seen| {
        seen.answers.len() == COUNT as usize
    });
}
