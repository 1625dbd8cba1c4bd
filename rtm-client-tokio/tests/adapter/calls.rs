//! Calls: what the methods give, over every transport, and how calls behave beside each other.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use futures::future::join_all;
use rtm_client_tokio::prelude::*;
use rtm_client_tokio::{Call, Events, Login, LoginClient, Logout, Request, Watch};
use rtm_gate::{Effect, Gate, Times};

use crate::support::*;

async fn ok<R: Request>(call: Call<R>) -> R::Response {
    let method = format!("{call:?}");
    match within(&method, call).await {
        Ok(response) => response,
        Err(error) => panic!("{error}"),
    }
}

async fn failing<R: Request>(call: Call<R>) -> RequestError {
    let method = format!("{call:?}");
    match within(&method, call).await {
        Ok(_) => panic!("{method} must fail"),
        Err(error) => error,
    }
}

/// Two users, both in room 5.
async fn two(gate: &Gate, via: Via) -> (Client, Client) {
    let pair = (login(gate, 0, via).await, login(gate, 1, via).await);
    ok(pair.0.enter_room(5)).await;
    ok(pair.1.enter_room(5)).await;
    pair
}

#[tokio::test]
async fn messages_reach_users_groups_and_rooms_as_they_were_sent() {
    for via in Via::ALL {
        let gate = start_gate();
        let (ann, bob) = two(&gate, via).await;
        let mut inbox = bob.events();
        let (from, to, group) = (gate.users()[0].id, gate.users()[1].id, gate.group());
        let bytes: &[u8] = &[0xff, 0, 0xfe];
        let (text, binary) = (|| Body::from("naïve 🎉"), || Body::from(bytes));
        let sent = [
            ok(ann.send_message(to, 66, text())).await,
            ok(ann.send_message(to, 67, bytes)).await,
            ok(ann.send_chat(to, "naïve 🎉")).await,
            ok(ann.send_audio(to, bytes)).await,
            ok(ann.send_cmd(to, "naïve 🎉")).await,
            ok(ann.send_group_message(group, 66, text())).await,
            ok(ann.send_group_message(group, 67, bytes)).await,
            ok(ann.send_group_chat(group, "naïve 🎉")).await,
            ok(ann.send_group_audio(group, bytes)).await,
            ok(ann.send_group_cmd(group, "naïve 🎉")).await,
            ok(ann.send_room_message(5, 66, text())).await,
            ok(ann.send_room_message(5, 67, bytes)).await,
            ok(ann.send_room_chat(5, "naïve 🎉")).await,
            ok(ann.send_room_audio(5, bytes)).await,
            ok(ann.send_room_cmd(5, "naïve 🎉")).await,
        ];
        let kinds = [
            (MessageKind::Plain, 66, text()),
            (MessageKind::Plain, 67, binary()),
            (MessageKind::Chat, 30, text()),
            (MessageKind::Audio, 31, binary()),
            (MessageKind::Command, 32, text()),
        ];
        let places = [
            Conversation::P2p,
            Conversation::Group(group.into()),
            Conversation::Room(RoomId(5)),
        ];
        let got = messages(&mut inbox, sent.len()).await;
        let expected = places
            .iter()
            .flat_map(|place| kinds.iter().map(move |k| (place, k)));
        for ((message, receipt), (place, (kind, mtype, body))) in
            got.iter().zip(&sent).zip(expected)
        {
            assert_eq!(message.conversation, *place, "{via:?}");
            assert_eq!(
                (message.kind, message.message_type),
                (*kind, MessageType(*mtype))
            );
            assert_eq!((&message.body, message.sender), (body, UserId(from)));
            assert_eq!(message.message_id, receipt.message_id);
            assert_eq!(message.time_ms, receipt.time_ms);
            assert!(receipt.time_ms.is_some() && !receipt.deduplicated);
        }
        let ids: BTreeSet<_> = sent.iter().map(|receipt| receipt.message_id).collect();
        assert_eq!(ids.len(), sent.len());
        assert!(
            sent.windows(2)
                .all(|pair| pair[0].message_id < pair[1].message_id)
        );
    }
}

#[tokio::test]
async fn groups_rooms_sessions_devices_and_the_rest_give_typed_results() {
    for via in Via::ALL {
        let gate = start_gate();
        let (ann, bob) = two(&gate, via).await;
        let (group, them) = (gate.group(), gate.users()[1].id);

        ok(ann.add_group_members(group, [9001, 9002])).await;
        ok(ann.remove_group_members(group, [9002])).await;
        let members = ok(ann.get_group_members(group)).await;
        assert!(members.contains(&UserId(9001)) && members.contains(&UserId(them)));
        assert!(!members.contains(&UserId(9002)));
        assert_eq!(ok(ann.get_user_groups()).await, [GroupId(group)]);

        ok(ann.enter_room(6)).await;
        assert_eq!(ok(ann.get_user_rooms()).await, [RoomId(5), RoomId(6)]);
        ok(ann.leave_room(5)).await;
        assert_eq!(ok(ann.get_user_rooms()).await, [RoomId(6)]);

        ok(ann.set_attributes([("mood", "good")])).await;
        let sessions = ok(ann.get_attributes()).await;
        assert_eq!(sessions.len(), 1);
        assert_eq!(sessions[0].get("mood"), Some("good"));
        assert!(sessions[0].login_time().is_some());

        ok(ann.add_device("ios", "device-1")).await;
        ok(ann.remove_device("device-1")).await;
        ok(ann.add_debug_log("message", "attrs")).await;
        ok(ann.set_translation_language("en")).await;

        let value = ok(bob.call(Custom::new("t_echo").field("v", "custom"))).await;
        assert_eq!(value["v"].as_str(), Some("custom"), "{via:?}");
    }
}

#[tokio::test]
async fn a_session_ends_another_of_the_same_user() {
    for via in Via::THREE {
        let gate = start_gate();
        let old = login(&gate, 0, via).await;
        ok(old.set_attributes([("which", "old")])).await;
        let new = login(&gate, 0, via).await;
        let sessions = ok(new.get_attributes()).await;
        let other = sessions.iter().find(|s| s.get("which") == Some("old"));
        let endpoint = other
            .and_then(|s| s.session_endpoint())
            .expect("an endpoint");
        let mut events = old.events();
        ok(new.kick_session(endpoint)).await;
        let cause = closed(&mut events).await;
        assert_eq!(cause, rtm_client_tokio::error::Cause::KickedOut);
        assert!(new.state().is_online());
        let again = failing(new.kick_session(endpoint)).await;
        assert!(
            matches!(again.kind(), RequestErrorKind::Server { .. }),
            "{again}"
        );
    }
}

#[tokio::test]
async fn error_codes_of_the_server_come_with_the_id_to_resend() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = login(&gate, 0, via).await;
        let me = gate.users()[0].id;
        let cases = [
            (failing(client.send_chat(me, "me")).await, "sendmsg", 200052),
            (
                failing(client.send_group_chat(1, "no")).await,
                "sendgroupmsg",
                200041,
            ),
            (
                failing(client.send_room_chat(1, "no")).await,
                "sendroommsg",
                200040,
            ),
        ];
        for (error, method, code) in cases {
            assert_eq!((error.method(), error.code()), (method, ErrorCode(code)));
            assert!(error.message_id().is_some(), "{error}");
            let expected = format!("{method}: refused by the server: {code} ");
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
        let unknown = failing(client.call(Custom::new("nosuchmethod"))).await;
        assert_eq!(unknown.code(), ErrorCode::CORE_UNKNOWN_METHOD);
        assert_eq!(unknown.message_id(), None);

        let to = gate.users()[1].id;
        let first = SendMessage::chat(UserId(to), "hi").message_id(MessageId(77));
        assert_eq!(
            ok(client.call(first.clone())).await.message_id,
            MessageId(77)
        );
        assert_eq!(failing(client.call(first)).await.code(), ErrorCode(200053));
        let resend = SendMessage::chat(UserId(to), "hi").resend(MessageId(77));
        assert!(ok(client.call(resend)).await.deduplicated);
        let local = failing(client.send_message(to, 200, "x")).await;
        assert!(matches!(
            local.kind(),
            RequestErrorKind::Invalid { field: "mtype", .. }
        ));
        assert!(client.state().is_online());
    }
}

#[tokio::test]
async fn an_answer_that_breaks_its_promise_fails_its_call_only() {
    let gate = start_gate();
    let client = login(&gate, 0, Via::Ws).await;
    let empty = Effect::Answer(rtm_gate::Value::EMPTY);
    gate.faults().on("getusergroups", empty, Times::N(1));
    let error = failing(client.get_user_groups()).await;
    assert!(
        matches!(error.kind(), RequestErrorKind::Decode(_)),
        "{error}"
    );
    assert!(error.to_string().contains("gids"), "{error}");
    assert_eq!(ok(client.get_user_groups()).await.len(), 1);
}

#[tokio::test]
async fn calls_wait_for_a_session_only_if_told_to() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = direct(&gate, 0, via).build().expect("valid options");
        let hasty = failing(client.call(echo(1))).await;
        assert_eq!(hasty.kind(), &RequestErrorKind::NotConnected);
        let patient = client.with_options(RequestOptions::default().wait_online(true));
        let limited = patient.with_timeout(Duration::from_millis(30));
        let late = failing(limited.call(echo(1))).await;
        assert_eq!(late.kind(), &RequestErrorKind::TimedOut { sent: false });
        let mut call = patient.call(echo(2));
        begin(&mut call);
        within("login", client.login()).await.expect("a login");
        assert_eq!(ok(call).await["v"].as_i64(), Some(2), "{via:?}");
        assert_eq!(gate.seen().count("t_echo"), 1);
    }
}

#[tokio::test]
async fn a_thousand_concurrent_calls_get_their_own_answers() {
    for via in Via::ALL {
        let gate = start_gate();
        let client = login(&gate, 0, via).await;
        let calls = join_all((0..1000).map(|i| client.call(echo(i))));
        let answers = within("the calls", calls).await;
        for (i, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.expect("an answer")["v"].as_i64(), Some(i as i64));
        }
        assert_eq!(client.in_flight(), 0);
    }
}

#[tokio::test]
async fn a_dropped_call_is_forgotten_and_its_late_answer_ignored() {
    for via in Via::THREE {
        let gate = start_gate();
        let later = Effect::Delay(Duration::from_millis(30));
        gate.faults().on("t_echo", later.clone(), Times::N(50));
        let client = login(&gate, 0, via).await;
        let mut calls: Vec<_> = (0..50).map(|i| client.call(echo(i))).collect();
        calls.iter_mut().for_each(begin);
        assert_eq!(client.in_flight(), 50);
        seen(&gate, "the calls", |s| s.count("t_echo") == 50).await;
        drop(calls);
        assert_eq!(client.in_flight(), 0);
        // Its answer is due after those that nobody waits for.
        gate.faults().on("t_echo", later, Times::N(1));
        assert_eq!(ok(client.call(echo(99))).await["v"].as_i64(), Some(99));
        assert!(client.state().is_online(), "{via:?}");
    }
}

#[tokio::test]
async fn an_unpolled_call_sends_nothing() {
    let gate = start_gate();
    let client = login(&gate, 0, Via::Ws).await;
    let unpolled = client.call(echo(1));
    drop(client.call(echo(2)));
    ok(client.call(echo(3))).await;
    assert_eq!((client.in_flight(), gate.seen().count("t_echo")), (0, 1));
    drop(unpolled);
    ok(client.call(echo(4))).await;
    assert_eq!(gate.seen().count("t_echo"), 2);
}

#[tokio::test]
async fn a_finished_call_may_be_polled_again_without_harm() {
    let gate = start_gate();
    let client = login(&gate, 0, Via::Ws).await;
    let mut call = client.call(echo(1));
    within("the call", &mut call).await.expect("an answer");
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut call).poll(&mut cx).is_pending());
}

#[tokio::test]
async fn a_slow_consumer_learns_how_much_it_missed_and_calls_go_on() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = log_in(direct(&gate, 0, via).event_capacity(100)).await;
        let mut events = client.events();
        let feed = Custom::new("t_push")
            .field("n", 5000)
            .field("mode", "twoway");
        ok(client.call(feed)).await;
        for i in 0..100 {
            ok(client.call(echo(i))).await;
        }
        seen(&gate, "all answers to pushes", |s| {
            s.pushes_answered == 5000
        })
        .await;
        let (mut missed, mut ids) = (0, Vec::new());
        while let Some(event) = events.try_recv() {
            match event {
                Event::Lagged { missed: some } => missed += some,
                Event::Message(message) => ids.push(message.message_id.0),
                Event::State(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(missed, 4900, "{via:?}");
        assert_eq!(ids, (4901..=5000).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn calls_work_in_spawned_tasks_and_in_select() {
    let gate = start_gate();
    let client = login(&gate, 0, Via::Wss).await;
    let spawned = tokio::spawn({
        let client = client.clone();
        async move { client.call(echo(1)).await }
    });
    within("the task", spawned)
        .await
        .expect("no panic")
        .expect("an answer");
    never_answered(&gate);
    let mut slow = client.call(echo(2));
    tokio::select! {
        _ = &mut slow => panic!("nobody answers"),
        groups = client.get_user_groups() => assert_eq!(groups.expect("groups").len(), 1),
    }
    assert_eq!(client.in_flight(), 1);
    drop(slow);
    assert_eq!(client.in_flight(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_on_many_threads_share_a_client() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = login(&gate, 0, via).await;
        let tasks: Vec<_> = (0..16_i64)
            .map(|task| {
                let client = client.clone();
                tokio::spawn(async move {
                    for i in 0..50 {
                        let value = ok(client.call(echo(task * 100 + i))).await;
                        assert_eq!(value["v"].as_i64(), Some(task * 100 + i));
                    }
                })
            })
            .collect();
        for task in tasks {
            within("a task", task).await.expect("no panic");
        }
        assert_eq!(client.in_flight(), 0);
    }
}

const fn is_send<T: Send + 'static>() {}
const fn is_sync<T: Sync>() {}

const _: () = {
    is_send::<Call<SendMessage>>();
    is_send::<Call<Custom>>();
    is_send::<Login>();
    is_send::<LoginClient<Client>>();
    is_send::<Logout>();
    is_send::<Events>();
    is_send::<Watch>();
    is_send::<Client>();
    is_sync::<Client>();
    is_sync::<Events>();
};
