//! Reconnecting: back online, rooms and settings restored, waiting calls carried over.

use std::time::Duration;

use rtm_client_tokio::error::Cause;
use rtm_client_tokio::prelude::*;
use rtm_client_tokio::{Backoff, Builder, Events};
use rtm_gate::{Effect, Gate, Times};

use crate::support::*;

fn stubborn(gate: &Gate, via: Via) -> Builder {
    direct(gate, 0, via)
        .auto_reconnect(true)
        .backoff(Backoff::fixed(Duration::from_millis(10)))
}

async fn backoff(events: &mut Events) -> Cause {
    next_where("a pause", events, |event| match event {
        Event::State(State::Backoff { cause, .. }) => Some(cause),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_restarted_gate_gets_its_session_and_its_rooms_back() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = log_in(stubborn(&gate, via)).await;
        let mut events = client.events();
        online(&mut events).await;
        for room in [7, 5, 9] {
            within("enter", client.enter_room(room))
                .await
                .expect("entered");
        }
        within("leave", client.leave_room(5)).await.expect("left");
        gate.forget_seen();
        gate.restart().expect("the same ports");
        assert!(matches!(backoff(&mut events).await, Cause::Lost(_)));
        let patient = client.with_options(RequestOptions::default().wait_online(true));
        let rooms = within("rooms", patient.get_user_rooms())
            .await
            .expect("rooms");
        assert_eq!(rooms, [RoomId(7), RoomId(9)], "{via:?}");
        online(&mut events).await;
        let record = gate.seen();
        let order = record.quests_of("enterroom").map(|quest| {
            let room = quest.payload.get("rid");
            room.and_then(|room| room.as_int()).expect("a room")
        });
        assert_eq!(order.collect::<Vec<_>>(), [7, 9], "in entering order");
    }
}

#[tokio::test]
async fn a_room_that_refuses_is_lost_after_online() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = log_in(stubborn(&gate, via)).await;
        let mut events = client.events();
        online(&mut events).await;
        for room in [7, 8] {
            within("enter", client.enter_room(room))
                .await
                .expect("entered");
        }
        gate.faults()
            .on("enterroom", Effect::Error(200047), Times::N(1));
        gate.faults().drop_connections();
        online(&mut events).await;
        let (room, error) = next_where("a lost room", &mut events, |event| match event {
            Event::RoomLost { room, error } => Some((room, error)),
            _ => None,
        })
        .await;
        assert_eq!((room, error.code()), (RoomId(7), ErrorCode(200047)));
        let patient = client.with_options(RequestOptions::default().wait_online(true));
        let rooms = within("rooms", patient.get_user_rooms())
            .await
            .expect("rooms");
        assert_eq!(rooms, [RoomId(8)]);
    }
}

#[tokio::test]
async fn a_first_login_that_fails_is_tried_again() {
    let gate = start_gate();
    gate.stop();
    let client = stubborn(&gate, Via::Ws).build().expect("valid options");
    let mut events = client.events();
    let login = tokio::spawn(client.login());
    for _ in 0..3 {
        let cause = backoff(&mut events).await;
        assert!(cause.to_string().contains("cannot connect"), "{cause}");
    }
    gate.restart().expect("the same ports");
    let session = within("login", login).await.expect("no panic");
    session.expect("the gate is back");
}

#[tokio::test]
async fn giving_up_after_the_last_attempt_ends_the_login_and_what_waited() {
    let gate = start_gate();
    gate.stop();
    let three = Backoff::fixed(Duration::from_millis(5)).max_attempts(3);
    let client = stubborn(&gate, Via::Tcp)
        .backoff(three)
        .build()
        .expect("valid options");
    let mut events = client.events();
    let patient = client.with_options(RequestOptions::default().wait_online(true));
    let mut call = patient.call(echo(1));
    begin(&mut call);
    let error = within("login", client.login()).await.expect_err("no gate");
    let lost = within("the call", call).await.expect_err("no session");
    assert_eq!(lost.kind(), &RequestErrorKind::NotConnected);
    let story = story(&mut events).await;
    let attempts = story.words.iter().filter(|word| **word == "connecting");
    assert_eq!(attempts.count(), 3, "{:?}", story.words);
    assert_eq!(story.cause, Cause::Login(error));
}

#[tokio::test]
async fn a_logout_during_a_pause_or_an_attempt_is_final() {
    let gate = start_gate();
    let endless = Backoff::fixed(Duration::from_secs(3600));
    let client = log_in(stubborn(&gate, Via::Ws).backoff(endless)).await;
    let mut events = client.events();
    gate.faults().drop_connections();
    backoff(&mut events).await;
    within("logout", client.logout()).await;
    assert_eq!(closed(&mut events).await, Cause::LoggedOut);
    gate.faults().on("auth", Effect::Ignore, Times::Always);
    let login = tokio::spawn(client.login());
    seen(&gate, "the login", |s| s.count("auth") == 2).await;
    within("logout", client.logout()).await;
    let error = within("login", login).await.expect("no panic");
    assert_eq!(
        error.expect_err("logged out").to_string(),
        "login: logged out meanwhile"
    );
    seen(&gate, "the end", |s| s.open() == 0).await;
}

#[tokio::test]
async fn a_network_change_ends_a_pause() {
    let gate = start_gate();
    let endless = Backoff::fixed(Duration::from_secs(3600));
    let client = log_in(stubborn(&gate, Via::Ws).backoff(endless)).await;
    let mut events = client.events();
    online(&mut events).await;
    gate.faults().drop_connections();
    backoff(&mut events).await;
    client.network_changed();
    online(&mut events).await;
}

#[tokio::test]
async fn a_message_lost_before_its_answer_is_resent_and_arrives_once() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = log_in(stubborn(&gate, via)).await;
        let peer = login(&gate, 1, via).await;
        let mut inbox = peer.events();
        let to = gate.users()[1].id;
        gate.faults()
            .on("sendmsg", Effect::LoseAnswerAndClose, Times::N(1));
        let sure = client.with_options(RequestOptions::default().resend_on_loss(2));
        let receipt = within("the send", sure.send_chat(to, "once")).await;
        let receipt = receipt.expect("it arrived");
        assert!(receipt.deduplicated, "{via:?}");
        let last = within("the last", client.send_chat(to, "last"))
            .await
            .expect("sent");
        let got = messages(&mut inbox, 2).await;
        let ids = [got[0].message_id, got[1].message_id];
        assert_eq!(ids, [receipt.message_id, last.message_id]);
        assert_eq!(gate.seen().count("sendmsg"), 3);
    }
}
