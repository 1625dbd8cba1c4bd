//! Messages, and what becomes of them.

use rtm_client_tokio::prelude::*;

use crate::{ELSEWHERE, World, code};

pub(crate) async fn messages(w: &World) {
    let (bob, group, room) = (w.bob_id, w.group, RoomId(71));
    w.ann.enter_room(room).await.unwrap();
    w.unchecked.enter_room(room).await.unwrap();
    let bytes: &[u8] = &[0xff, 0];
    let receipts = [
        w.ann.send_message(bob, 66, bytes).await.unwrap(),
        w.ann.send_chat(bob, "hi").await.unwrap(),
        w.ann.send_audio(bob, bytes).await.unwrap(),
        w.ann.send_cmd(bob, "go").await.unwrap(),
        w.ann.send_group_message(group, 66, "hi").await.unwrap(),
        w.ann.send_group_chat(group, "hi").await.unwrap(),
        w.ann.send_group_audio(group, bytes).await.unwrap(),
        w.ann.send_group_cmd(group, "go").await.unwrap(),
        w.ann.send_room_message(room, 66, "hi").await.unwrap(),
        w.ann.send_room_chat(room, "hi").await.unwrap(),
        w.ann.send_room_audio(room, bytes).await.unwrap(),
        w.ann.send_room_cmd(room, "go").await.unwrap(),
    ];
    assert!(receipts.iter().all(|receipt| receipt.time_ms.is_some()));
    assert!(
        receipts
            .windows(2)
            .all(|pair| pair[0].message_id < pair[1].message_id)
    );

    assert_eq!(code(w.ann.send_chat(w.ann_id, "me").await), 200052);
    assert_eq!(code(w.ann.send_group_chat(ELSEWHERE, "").await), 200041);
    assert_eq!(code(w.ann.send_room_chat(ELSEWHERE, "").await), 200040);
    let used = receipts[0].message_id;
    let again = SendMessage::chat(bob, "again").message_id(used);
    let error = w.ann.call(again).await.unwrap_err();
    assert_eq!((error.code().0, error.message_id()), (200053, Some(used)));
    let resent = w
        .ann
        .call(SendMessage::chat(bob, "again").resend(used))
        .await;
    assert!(resent.unwrap().deduplicated);
    w.gate.ban_in_group(group.0, w.ann_id.0, true);
    w.gate.ban_in_room(room.0, w.ann_id.0, true);
    assert_eq!(code(w.ann.send_group_chat(group, "").await), 200044);
    assert_eq!(code(w.ann.send_room_chat(room, "").await), 200045);
    w.gate.ban_in_group(group.0, w.ann_id.0, false);
    w.gate.ban_in_room(room.0, w.ann_id.0, false);

    let long = "x".repeat(20_481);
    let wordy = || SendMessage::chat(bob, "").attrs("x".repeat(2049));
    for client in [&w.ann, &w.unchecked] {
        assert_eq!(code(client.send_message(bob, 0, "").await), 200005);
        assert_eq!(
            code(client.send_group_message(group, 128, "").await),
            200005
        );
        assert_eq!(code(client.send_room_message(room, 255, "").await), 200005);
        assert_eq!(code(client.send_chat(bob, &*long).await), 200030);
        assert_eq!(code(client.send_group_chat(group, &*long).await), 200030);
        assert_eq!(code(client.send_room_chat(room, &*long).await), 200030);
        assert_eq!(code(client.call(wordy()).await), 200030);
        client.leave_room(room).await.unwrap();
        client.enter_room(room).await.unwrap();
    }
    for client in [&w.ann, &w.unchecked] {
        client.leave_room(room).await.unwrap();
    }
}

/// The texts of a page.
fn texts(page: &HistoryPage) -> Vec<&str> {
    let records = page.records.iter();
    records
        .map(|record| record.body.as_text().unwrap_or("?"))
        .collect()
}

pub(crate) async fn history(w: &World) {
    let (ann, bob, group, room) = (w.ann_id, UserId(1003), GroupId(72), RoomId(72));
    w.ann.add_group_members(group, [w.ann_id]).await.unwrap();
    w.ann.enter_room(room).await.unwrap();
    w.ann.send_chat(bob, "chat").await.unwrap();
    w.ann.send_message(bob, 66, "plain").await.unwrap();
    w.ann.send_group_chat(group, "chat").await.unwrap();
    w.ann.send_group_message(group, 66, "plain").await.unwrap();
    w.ann.send_room_chat(room, "chat").await.unwrap();
    w.ann.send_room_message(room, 66, "plain").await.unwrap();
    w.gate.broadcast(9, 30, "chat");
    w.gate.broadcast(9, 66, "plain");

    let both = ["plain", "chat"];
    let page = w.ann.get_p2p_messages(bob, 10).await.unwrap();
    assert_eq!((texts(&page), page.count), (both.to_vec(), 2));
    assert!(
        page.records
            .iter()
            .all(|r| (r.sender, r.recipient) == (ann, Some(bob)))
    );
    assert_eq!(texts(&w.ann.get_p2p_chat(bob, 10).await.unwrap()), ["chat"]);
    assert_eq!(
        texts(&w.ann.get_group_messages(group, 10).await.unwrap()),
        both
    );
    assert_eq!(
        texts(&w.ann.get_group_chat(group, 10).await.unwrap()),
        ["chat"]
    );
    assert_eq!(
        texts(&w.ann.get_room_messages(room, 10).await.unwrap()),
        both
    );
    assert_eq!(
        texts(&w.ann.get_room_chat(room, 10).await.unwrap()),
        ["chat"]
    );
    assert_eq!(texts(&w.ann.get_broadcast_messages(2).await.unwrap()), both);
    assert_eq!(texts(&w.ann.get_broadcast_chat(1).await.unwrap()), ["chat"]);

    let first = w
        .ann
        .call(GetHistory::new(group, 1).oldest_first())
        .await
        .unwrap();
    assert_eq!(texts(&first), ["chat"]);
    let second = GetHistory::new(group, 1).oldest_first().after(&first);
    assert_eq!(texts(&w.ann.call(second).await.unwrap()), ["plain"]);
    let all = w
        .ann
        .history(HistoryQuery::new(group).oldest_first().page_size(1));
    assert_eq!(all.count().await, 2);

    assert_eq!(code(w.bob.get_group_messages(group, 1).await), 200041);
    assert_eq!(code(w.bob.get_room_messages(room, 1).await), 200040);
    for client in [&w.ann, &w.unchecked] {
        assert_eq!(code(client.get_p2p_messages(bob, 21).await), 200032);
        assert_eq!(code(client.get_broadcast_messages(21).await), 200032);
    }
    w.ann.leave_room(room).await.unwrap();
}

pub(crate) async fn stored_messages(w: &World) {
    let sent = w.ann.send_chat(w.bob_id, "keep").await.unwrap().message_id;
    let stored = w.ann.get_message(w.bob_id, sent).await.unwrap();
    assert_eq!(stored.body.as_text(), Some("keep"));
    assert_eq!(w.ann.get_chat(w.bob_id, sent).await.unwrap(), stored);
    w.ann.delete_message(w.bob_id, sent).await.unwrap();
    assert_eq!(code(w.ann.get_message(w.bob_id, sent).await), 200070);
    let sent = w
        .ann
        .send_group_chat(w.group, "keep")
        .await
        .unwrap()
        .message_id;
    w.ann.delete_chat(w.group, sent).await.unwrap();
    assert_eq!(code(w.ann.delete_chat(w.group, sent).await), 200070);
    assert_eq!(
        code(w.ann.get_message(GroupId(ELSEWHERE), sent).await),
        200041
    );
    assert_eq!(
        code(w.ann.get_message(RoomId(ELSEWHERE), sent).await),
        200040
    );
}

pub(crate) async fn unread(w: &World) {
    let away = UserId(1003);
    w.ann.send_chat(away, "for later").await.unwrap();
    w.ann.send_group_chat(w.group, "for later").await.unwrap();
    let reader = Client::builder(w.gate.project_id(), away, w.gate.token(away.0));
    let reader = reader.gate(w.gate.gate().ws).login().await.unwrap();
    let unread = reader.get_unread().await.unwrap();
    assert_eq!(
        (unread.peers, unread.groups),
        (vec![w.ann_id], vec![w.group])
    );
    reader.clear_unread().await.unwrap();
    let unread = reader.get_unread().await.unwrap();
    assert!(unread.peers.is_empty() && unread.groups.is_empty());
    let known = reader.get_sessions().await.unwrap();
    assert!(known.peers.iter().any(|peer| peer.id == w.ann_id));
    assert!(known.groups.iter().any(|group| group.id == w.group));
    reader.logout().await;
}
