//! Every way a session ends: what pending calls get, what the events tell, and that nothing hangs.

use std::time::Duration;

use futures::StreamExt;
use rtm_client_tokio::error::{Cause, LostReason};
use rtm_client_tokio::prelude::*;
use rtm_gate::{Effect, Times, Whom, WireFault};

use crate::support::*;

const SESSION: [&str; 3] = ["connecting", "online", "closed"];

#[tokio::test]
async fn a_peer_that_closes_ends_every_call_and_the_session() {
    for via in Via::ALL {
        let gate = start_gate();
        never_answered(&gate);
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        let pending = Pending::start(&gate, &client, 3).await;
        gate.faults().drop_connections();
        pending
            .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
            .await;

        let story = story(&mut events).await;
        assert_eq!(story.words, SESSION, "{via:?}");
        assert!(matches!(story.cause, Cause::Lost(_)), "{}", story.cause);
        if via == Via::Tcp {
            assert_eq!(story.cause, Cause::Lost(LostReason::PeerClosed));
        }
        assert_eq!((cause_of(&client), client.in_flight()), (story.cause, 0));
        let late = within("a late call", client.call(echo(1))).await;
        let late = late.expect_err("there is no session");
        assert_eq!(late.kind(), &RequestErrorKind::NotConnected);
    }
}

#[tokio::test]
async fn a_reset_ends_every_call_and_says_so() {
    for via in Via::THREE {
        let gate = start_gate();
        never_answered(&gate);
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        let pending = Pending::start(&gate, &client, 3).await;
        gate.faults().reset_connections();
        pending
            .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
            .await;
        let story = story(&mut events).await;
        assert_eq!(story.words, SESSION, "{via:?}");
        let text = story.cause.to_string();
        assert!(text.contains("reset"), "{via:?}: {text}");
    }
}

#[tokio::test]
async fn a_call_that_times_out_leaves_the_session_alone() {
    for via in Via::THREE {
        let gate = start_gate();
        gate.faults().on("t_echo", Effect::Ignore, Times::N(3));
        let client = login(&gate, 0, via).await;
        let hasty = client.with_timeout(Duration::from_millis(50));
        let calls = futures::future::join_all((0..3).map(|i| hasty.call(echo(i))));
        for result in within("the time-outs", calls).await {
            let error = result.expect_err("nobody answered");
            assert_eq!(error.kind(), &RequestErrorKind::TimedOut { sent: true });
            assert_eq!(error.code(), ErrorCode::CORE_TIMEOUT);
        }
        assert!(client.state().is_online(), "{via:?}");
        within("the next call", client.call(echo(4)))
            .await
            .expect("an answer");
        assert_eq!(client.in_flight(), 0);
    }
}

#[tokio::test]
async fn a_kickout_is_final_even_with_auto_reconnect() {
    for via in Via::THREE {
        let gate = start_gate();
        never_answered(&gate);
        let client = log_in(direct(&gate, 0, via).auto_reconnect(true)).await;
        let mut events = client.events();
        let pending = Pending::start(&gate, &client, 3).await;
        gate.kick(gate.users()[0].id);
        pending
            .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
            .await;
        let story = story(&mut events).await;
        assert_eq!(
            story.words,
            ["connecting", "online", "kicked out", "closed"]
        );
        assert_eq!(story.cause, Cause::KickedOut, "{via:?}");
        seen(&gate, "the end", |s| s.open() == 0).await;
        assert_eq!(gate.seen().connections.len(), 1);
    }
}

#[tokio::test]
async fn logging_out_ends_pending_calls_and_refuses_new_ones() {
    for via in Via::THREE {
        let gate = start_gate();
        never_answered(&gate);
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        let pending = Pending::start(&gate, &client, 3).await;
        within("logout", client.logout()).await;
        assert_eq!(cause_of(&client), Cause::LoggedOut);
        pending
            .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
            .await;
        let story = story(&mut events).await;
        assert_eq!(story.words, ["connecting", "online", "closing", "closed"]);
        let late = within("a late call", client.call(echo(1))).await;
        let late = late.expect_err("logged out");
        assert_eq!(late.kind(), &RequestErrorKind::NotConnected);
        assert_eq!(late.code(), ErrorCode::CORE_INVALID_CONNECTION);
        seen(&gate, "bye", |s| s.count("bye") == 1 && s.open() == 0).await;
        within("another logout", client.logout()).await;
    }
}

#[tokio::test]
async fn a_call_answered_before_the_goodbye_still_succeeds() {
    let gate = start_gate();
    let soon = Duration::from_millis(20);
    gate.faults().on("t_echo", Effect::Delay(soon), Times::N(1));
    gate.faults()
        .on("bye", Effect::Delay(soon * 20), Times::N(1));
    let client = login(&gate, 0, Via::Ws).await;
    let mut call = client.call(echo(7));
    begin(&mut call);
    let (answer, ()) = within("both", async { tokio::join!(call, client.logout()) }).await;
    answer.expect("the answer came first");
    assert_eq!(cause_of(&client), Cause::LoggedOut);
}

#[tokio::test]
async fn a_goodbye_that_is_never_answered_takes_five_seconds() {
    let gate = start_gate();
    never_answered(&gate);
    gate.faults().on("bye", Effect::Ignore, Times::Always);
    let client = login(&gate, 0, Via::Tcp).await;
    let pending = Pending::start(&gate, &client, 2).await;
    // With nothing to do but to wait, the paused clock runs ahead by itself.
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    within("logout", client.logout()).await;
    assert_eq!(before.elapsed().as_secs(), 5);
    pending
        .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
        .await;
    assert_eq!(cause_of(&client), Cause::LoggedOut);
}

#[tokio::test]
async fn aborting_ends_everything_at_once_and_for_good() {
    for via in Via::THREE {
        let gate = start_gate();
        never_answered(&gate);
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        let pending = Pending::start(&gate, &client, 3).await;
        client.abort();
        assert_eq!((cause_of(&client), client.in_flight()), (Cause::Aborted, 0));
        pending
            .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
            .await;
        assert_eq!(story(&mut events).await.words, SESSION);
        seen(&gate, "the end", |s| s.open() == 0 && s.count("bye") == 0).await;
        let again = within("login", client.login()).await;
        let again = again.expect_err("aborted for good");
        assert_eq!(again.to_string(), "login: the client was aborted");
        within("logout", client.logout()).await;
    }
}

#[tokio::test]
async fn dropping_the_last_handle_says_goodbye_and_ends_every_stream() {
    for via in Via::THREE {
        let gate = start_gate();
        never_answered(&gate);
        let client = login(&gate, 0, via).await;
        let (mut events, mut watch) = (client.events(), client.watch());
        let pending = Pending::start(&gate, &client, 3).await;
        let clone = client.clone();
        drop(client);
        assert!(clone.state().is_online(), "a clone keeps the session");
        drop(clone);
        pending
            .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
            .await;
        let story = story(&mut events).await;
        assert_eq!(story.words, ["connecting", "online", "closing", "closed"]);
        assert_eq!(story.cause, Cause::LoggedOut);
        assert!(within("the end of events", events.next()).await.is_none());
        let states = async { while watch.next().await.is_some() {} };
        within("the end of states", states).await;
        seen(&gate, "bye", |s| s.count("bye") == 1 && s.open() == 0).await;
    }
}

#[tokio::test]
async fn bytes_that_are_no_package_end_the_session_and_every_call() {
    let oversized = header(0x80, 2, 0, 9 << 20);
    let mut magic = push(1, 1);
    magic[0] = b'X';
    let mut flag = push(1, 1);
    flag[5] = 0xc0;
    let mut kind = push(1, 1);
    kind[6] = 3;
    let mut root = header(0x80, 2, 0, 1);
    root.extend([1, 0, 0, 0, 0x90]);
    let cases = [
        ("oversized", oversized, ErrorCode::PROTO_INVALID_PACKAGE),
        ("bad magic", magic, ErrorCode::PROTO_INVALID_PACKAGE),
        ("bad flag", flag, ErrorCode::PROTO_PROTO_TYPE),
        ("bad message type", kind, ErrorCode::PROTO_METHOD_TYPE),
        ("root not a map", root, ErrorCode::PROTO_MAP_VALUE),
    ];
    for via in Via::THREE {
        for (what, bytes, code) in &cases {
            let gate = start_gate();
            never_answered(&gate);
            let client = login(&gate, 0, via).await;
            let pending = Pending::start(&gate, &client, 2).await;
            gate.send_bytes(gate.users()[0].id, bytes);
            pending
                .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
                .await;
            let Cause::Lost(reason) = cause_of(&client) else {
                panic!("{what}: {}", client.state());
            };
            assert!(matches!(reason, LostReason::Corrupt(_)), "{what}: {reason}");
            assert_eq!(reason.code(), *code, "{via:?}, {what}: {reason}");
            seen(&gate, "the end", |s| s.open() == 0).await;
        }
    }
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_an_answer_ends_every_call() {
    for via in Via::THREE {
        let gate = start_gate();
        gate.faults().on("t_echo", Effect::Ignore, Times::N(2));
        let client = login(&gate, 0, via).await;
        let pending = Pending::start(&gate, &client, 2).await;
        let blob = vec![7_u8; 256 * 1024];
        gate.faults().wire(Whom::Open, WireFault::CutSent(100_000));
        let cut = Custom::new("t_echo").field("v", blob);
        let cut = within("the answer that is cut", client.call(cut)).await;
        assert_eq!(cut.expect_err("it was cut").kind(), &LOST, "{via:?}");
        pending
            .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
            .await;
        assert!(matches!(cause_of(&client), Cause::Lost(_)));
    }
}
