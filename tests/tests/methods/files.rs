//! Files.

use rtm_client_tokio::prelude::*;

use crate::{ELSEWHERE, World, code};

pub(crate) async fn uploads(w: &World) {
    let token = w.ann.get_file_token(w.bob_id).await.unwrap();
    assert!(!token.endpoint.is_empty());
    assert_eq!(code(w.ann.get_file_token(w.ann_id).await), 200052);
    assert_eq!(code(w.ann.get_file_token(GroupId(ELSEWHERE)).await), 200041);

    let room = RoomId(73);
    w.ann.enter_room(room).await.unwrap();
    w.unchecked.enter_room(room).await.unwrap();
    let content = || vec![7; 1000];
    w.ann
        .send_file(w.bob_id, MessageType::FILE, content())
        .await
        .unwrap();
    w.ann
        .send_group_file(w.group, MessageType::IMAGE, content())
        .await
        .unwrap();
    w.ann
        .send_room_file(room, MessageType::VIDEO, content())
        .await
        .unwrap();

    let page = w.ann.get_group_messages(w.group, 1).await.unwrap();
    assert!(page.records[0].file().unwrap().url.starts_with("http://"));
    assert_eq!(
        code(w.ann.send_group_file(ELSEWHERE, 50, content()).await),
        200041
    );
    assert_eq!(
        code(w.ann.send_room_file(ELSEWHERE, 50, content()).await),
        200040
    );
    let large = vec![7; MAX_FILE_LEN + 1];
    for client in [&w.ann, &w.unchecked] {
        assert_eq!(
            code(client.send_file(w.bob_id, 30, content()).await),
            200007
        );
        assert_eq!(
            code(client.send_group_file(w.group, 51, content()).await),
            200007
        );
        assert_eq!(
            code(client.send_room_file(room, 39, content()).await),
            200007
        );
        assert_eq!(
            code(client.send_file(w.bob_id, 50, large.clone()).await),
            200031
        );
    }
    for client in [&w.ann, &w.unchecked] {
        client.leave_room(room).await.unwrap();
    }
}
