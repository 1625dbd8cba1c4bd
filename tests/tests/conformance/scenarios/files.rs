//! Files, which travel on connections of their own.

use rtm_gate::{Effect, Times};
use rtm_proto::api::{RoomApi, UploadApi};
use rtm_proto::{Event, MessageKind, MessageType};

use crate::adapters::Adapter;
use crate::stage::{Stage, Transport};

const ROOM: i64 = 4711;

pub(crate) fn a_file_reaches_users_groups_and_rooms<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let (ann, bob) = (stage.login(0), stage.login(1));
    for client in [&ann, &bob] {
        client.enter_room(ROOM).unwrap();
    }
    let (mut told, mut arrives) = (ann.events(), bob.events());
    let content: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let image = MessageType::IMAGE;
    for target in 0..3 {
        let receipt = match target {
            0 => ann.send_file(stage.user(1), image, content.clone()),
            1 => ann.send_group_file(stage.gate.group(), image, content.clone()),
            _ => ann.send_room_file(ROOM, image, content.clone()),
        }
        .unwrap();
        let message = arrives.message();
        assert_eq!(message.message_id, receipt.message_id);
        assert_eq!(message.kind, MessageKind::File);
        let mut last = 0;
        while last < content.len() as u64 {
            let event = told.next().unwrap();
            if let Event::UploadProgress {
                message_id,
                sent,
                total,
            } = event
            {
                assert_eq!(message_id, receipt.message_id);
                assert_eq!(total, content.len() as u64);
                assert!(sent > last, "{sent} after {last}");
                last = sent;
            }
        }
    }
    stage.sees("that file connections are closed", |seen| seen.open() == 2);
}

pub(crate) fn a_broken_file_connection_leaves_the_session_alone<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    let faults = stage.gate.faults();
    faults.on("sendfile", Effect::Close, Times::Always);
    let content = vec![7; 100_000];
    let sent = client.send_file(stage.user(1), MessageType::FILE, content);
    assert!(sent.is_err());
    assert_eq!(client.echo(1).unwrap(), 1.into());
    assert_eq!(stage.gate.seen().count("auth"), 1);
}
