//! Sessions, people, places, data, language.

use rtm_client_tokio::prelude::*;

use crate::{ELSEWHERE, World, code, crowd};

pub(crate) async fn sessions(w: &World) {
    w.ann.set_attributes([("mood", "good")]).await.unwrap();
    let sessions = w.ann.get_attributes().await.unwrap();
    let own = sessions.iter().find(|s| s.get("mood") == Some("good"));
    let own = own.unwrap().session_endpoint().unwrap();
    assert_eq!(code(w.ann.kick_session(own).await), 200012);
    assert_eq!(code(w.ann.kick_session("nobody").await), 200034);

    w.ann.add_device("fcm", "device").await.unwrap();
    w.ann.remove_device("device").await.unwrap();
    w.ann.add_debug_log("all is well", "").await.unwrap();

    let spare = Client::builder(w.gate.project_id(), w.bob_id, w.gate.token(w.bob_id.0))
        .gate(w.gate.gate().tcp)
        .attributes([("spare", "yes")])
        .login()
        .await
        .unwrap();
    let sessions = w.bob.get_attributes().await.unwrap();
    let other = sessions.iter().find(|s| s.get("spare").is_some()).unwrap();
    let other = other.session_endpoint().unwrap();
    w.bob.kick_session(other).await.unwrap();
    let mut states = spare.watch();
    while states.next().await.is_some_and(|state| !state.is_closed()) {}

    w.gate.ban(1004, true);
    let banned = Client::builder(w.gate.project_id(), 1004, w.gate.token(1004));
    let error = banned.gate(w.gate.gate().tcp).login().await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AUTH_DENIED);
}

pub(crate) async fn friends(w: &World) {
    w.ann.add_friends([w.bob_id]).await.unwrap();
    assert_eq!(w.ann.get_friends().await.unwrap(), [w.bob_id]);
    w.ann.remove_friends([w.bob_id]).await.unwrap();
    assert_eq!(w.ann.get_friends().await.unwrap(), []);
    assert_eq!(code(w.ann.add_friends(crowd(101)).await), 200032);
    assert_eq!(code(w.ann.add_friends(crowd(0)).await), 200033);
    assert_eq!(code(w.ann.remove_friends(crowd(101)).await), 200032);
}

pub(crate) async fn users(w: &World) {
    let asked = [w.bob_id, UserId(ELSEWHERE)];
    assert_eq!(w.ann.get_online_users(asked).await.unwrap(), [w.bob_id]);
    assert_eq!(code(w.ann.get_online_users(crowd(201)).await), 200032);

    w.ann
        .set_user_info(Some("open"), Some("secret"))
        .await
        .unwrap();
    w.ann.set_user_info(None, Some("changed")).await.unwrap();
    let info = w.ann.get_user_info().await.unwrap();
    assert_eq!(
        (&*info.public_info, &*info.private_info),
        ("open", "changed")
    );
    let infos = w.bob.get_users_public_info([w.ann_id]).await.unwrap();
    assert_eq!(infos[&w.ann_id], "open");
    assert_eq!(code(w.ann.get_users_public_info(crowd(101)).await), 200032);
    let long = "x".repeat(65_536);
    assert_eq!(code(w.ann.set_user_info(Some(&long), None).await), 200035);
}

pub(crate) async fn groups(w: &World) {
    let new = GroupId(31);
    w.ann
        .add_group_members(new, [w.ann_id, w.bob_id])
        .await
        .unwrap();
    assert_eq!(
        w.ann.get_group_members(new).await.unwrap(),
        [w.ann_id, w.bob_id]
    );
    assert!(w.bob.get_user_groups().await.unwrap().contains(&new));
    w.ann
        .set_group_info(new, Some("open"), Some("secret"))
        .await
        .unwrap();
    let info = w.bob.get_group_info(new).await.unwrap();
    assert_eq!(
        (&*info.public_info, &*info.private_info),
        ("open", "secret")
    );
    w.ann.remove_group_members(new, [w.bob_id]).await.unwrap();
    assert_eq!(w.bob.get_group_public_info(new).await.unwrap(), "open");

    assert_eq!(code(w.bob.get_group_members(new).await), 200041);
    assert_eq!(code(w.bob.get_group_info(new).await), 200041);
    assert_eq!(code(w.bob.set_group_info(new, None, None).await), 200041);
    assert_eq!(code(w.bob.add_group_members(new, [w.bob_id]).await), 200041);
    assert_eq!(
        code(w.bob.remove_group_members(new, [w.ann_id]).await),
        200041
    );
    assert_eq!(code(w.ann.add_group_members(new, crowd(101)).await), 200032);
    assert_eq!(
        code(w.ann.remove_group_members(new, crowd(101)).await),
        200032
    );
    assert_eq!(code(w.ann.add_group_members(new, crowd(0)).await), 200033);
}

pub(crate) async fn rooms(w: &World) {
    for client in [&w.ann, &w.bob] {
        client.enter_room(1).await.unwrap();
    }
    assert_eq!(w.ann.get_user_rooms().await.unwrap(), [RoomId(1)]);
    w.ann
        .set_room_info(1, Some("open"), Some("secret"))
        .await
        .unwrap();
    let info = w.bob.get_room_info(1).await.unwrap();
    assert_eq!(
        (&*info.public_info, &*info.private_info),
        ("open", "secret")
    );
    w.bob.leave_room(1).await.unwrap();
    assert_eq!(w.bob.get_room_public_info(1).await.unwrap(), "open");
    assert_eq!(code(w.bob.get_room_info(1).await), 200040);
    assert_eq!(code(w.bob.set_room_info(1, None, None).await), 200040);
    for room in 2..=10 {
        w.ann.enter_room(room).await.unwrap();
    }
    assert_eq!(code(w.ann.enter_room(11).await), 200047);
    for room in 1..=10 {
        w.ann.leave_room(room).await.unwrap();
    }
}

pub(crate) async fn data(w: &World) {
    w.ann.set_data("key", "value").await.unwrap();
    assert_eq!(
        w.ann.get_data("key").await.unwrap().as_deref(),
        Some("value")
    );
    w.ann.delete_data("key").await.unwrap();
    assert_eq!(w.ann.get_data("key").await.unwrap(), None);
    let (key, value) = ("k".repeat(129), "v".repeat(65_536));
    for client in [&w.ann, &w.unchecked] {
        assert_eq!(code(client.set_data(&*key, "").await), 200035);
        assert_eq!(code(client.set_data("key", &*value).await), 200035);
        assert_eq!(code(client.set_data("", "").await), 200033);
        assert_eq!(code(client.get_data(&*key).await), 200035);
        assert_eq!(code(client.delete_data(&*key).await), 200035);
    }
}

pub(crate) async fn language(w: &World) {
    w.ann.set_translation_language("de").await.unwrap();
    w.ann.set_translation_language("").await.unwrap();
    assert_eq!(
        code(w.ann.set_translation_language("klingon").await),
        200050
    );

    let answer = w.ann.translate("hello", "fr").await.unwrap();
    assert_eq!(
        (&*answer.source_text, &*answer.target_language),
        ("hello", "fr")
    );
    assert!(!answer.target_text.is_empty());
    assert_eq!(code(w.ann.translate("hello", "klingon").await), 200050);
    assert_eq!(code(w.ann.translate("", "fr").await), 200051);
    let strict = Translate::new("damn", "fr").profanity("stop");
    assert_eq!(code(w.ann.call(strict).await), 200057);

    let filtered = FilterProfanity::new("oh heck").classify(true);
    let filtered = w.ann.call(filtered).await.unwrap();
    assert!(!filtered.text.contains("heck") && !filtered.classification.is_empty());
    assert_eq!(w.ann.filter_profanity("fine").await.unwrap().text, "fine");
}
