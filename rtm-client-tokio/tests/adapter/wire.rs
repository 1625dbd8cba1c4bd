//! What the wire may do to packages, and peers that stop talking or listening.

use std::sync::Arc;
use std::time::Duration;

use rtm_client_tokio::Call;
use rtm_client_tokio::error::{Cause, LostReason};
use rtm_client_tokio::prelude::*;
use rtm_gate::{Encoding, Gate, Mode, Value, Whom, WireFault};

use crate::support::*;

#[tokio::test]
async fn packages_of_126_bytes_with_the_servers_defect_are_read() {
    for via in [Via::Ws, Via::Wss] {
        let gate = start_gate();
        gate.faults().defect_126(true);
        let client = login(&gate, 0, via).await;
        for len in 90..130_usize {
            let blob = vec![0x46_u8; len];
            let call = client.call(Custom::new("t_echo").field("v", blob.clone()));
            let answer = within("an echo", call).await.expect("an answer");
            assert_eq!(answer["v"].as_slice(), Some(&blob[..]), "{via:?} {len}");
        }
        let mut events = client.events();
        for len in 20..80 {
            let feed = Custom::new("t_push").field("n", 2).field("len", len);
            let feed = feed.field("mid0", len * 10);
            within("t_push", client.call(feed))
                .await
                .expect("an answer");
            for message in messages(&mut events, 2).await {
                assert_eq!(message.body.len(), len as usize);
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_come_one_by_one_make_the_same_packages() {
    for via in Via::ALL {
        let gate = start_gate();
        let relay = Forward::start("127.0.0.1:0", via.port(&gate), Manner::SingleBytes).await;
        let relay = relay.expect("a relay");
        let endpoint = format!("{}://localhost:{}", via.scheme(), relay.address.port());
        let client = log_in(options(&gate, 0).gate(&endpoint)).await;
        let mut events = client.events();
        let feed = Custom::new("t_push").field("n", 20).field("len", 100);
        within("t_push", client.call(feed))
            .await
            .expect("an answer");
        let ids = messages(&mut events, 20).await;
        let ids: Vec<_> = ids.iter().map(|message| message.message_id.0).collect();
        assert_eq!(ids, (1..=20).collect::<Vec<_>>(), "{via:?}");
        seen(&gate, "the answers", |s| s.pushes_answered == 20).await;
    }
}

#[tokio::test]
async fn packages_that_come_in_one_piece_are_taken_apart() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        let packed: Vec<u8> = (1..=100).flat_map(|id| push(id.into(), id)).collect();
        gate.send_bytes(gate.users()[0].id, &packed);
        let ids = messages(&mut events, 100).await;
        let ids: Vec<_> = ids.iter().map(|message| message.message_id.0).collect();
        assert_eq!(ids, (1..=100).collect::<Vec<_>>(), "{via:?}");
        seen(&gate, "the answers", |s| {
            s.answers.iter().map(|answer| answer.seq).eq(1..=100)
        })
        .await;
    }
}

fn message(mid: i64) -> Value {
    Value::map([
        ("from", 7.into()),
        ("mtype", 66.into()),
        ("mid", mid.into()),
        ("msg", "hi".into()),
        ("attrs", "".into()),
        ("mtime", 1.into()),
    ])
}

#[tokio::test]
async fn a_push_is_answered_in_its_own_encoding() {
    for via in Via::THREE {
        let gate = start_gate();
        let me = gate.users()[0].id;
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        gate.push(me, "pushmsg", message(1), Mode::Json);
        gate.push(me, "pushmsg", message(2), Mode::TwoWay);
        gate.push(me, "pushmsg", message(3), Mode::OneWay);
        gate.push(me, "ping", Value::EMPTY, Mode::Json);
        assert_eq!(messages(&mut events, 3).await.len(), 3);
        next_where("a ping", &mut events, |event| {
            matches!(event, Event::Ping).then_some(())
        })
        .await;
        seen(&gate, "the answers", |s| s.answers.len() == 3).await;
        let answers = gate.seen().answers;
        let encodings: Vec<_> = answers.iter().map(|answer| answer.encoding).collect();
        assert_eq!(
            encodings,
            [Encoding::Json, Encoding::Msgpack, Encoding::Json]
        );
        let empty = |answer: &rtm_gate::PushAnswer| answer.payload == Value::EMPTY;
        assert!(answers.iter().all(|a| a.status == 0 && empty(a)), "{via:?}");
    }
}

#[tokio::test]
async fn an_unknown_push_gets_an_error_answer_and_becomes_an_event() {
    for via in Via::THREE {
        let gate = start_gate();
        let me = gate.users()[0].id;
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        let payload = Value::map([("a", 1.into())]);
        gate.push(me, "pushnews", payload.clone(), Mode::OneWay);
        for mode in [Mode::TwoWay, Mode::Json] {
            gate.push(me, "pushnews", payload.clone(), mode);
        }
        for _ in 0..3 {
            let method = next_where("the push", &mut events, |event| match event {
                Event::Unknown { method, .. } => Some(method),
                _ => None,
            });
            assert_eq!(method.await, "pushnews");
        }
        seen(&gate, "the answers", |s| s.answers.len() == 2).await;
        for answer in gate.seen().answers {
            assert_eq!(answer.status, 1);
            let code = answer.payload.get("code").and_then(|code| code.as_int());
            assert_eq!(code, Some(20004), "{via:?}");
        }
    }
}

#[tokio::test]
async fn a_push_that_cannot_be_read_is_answered_and_told() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        gate.push(gate.users()[0].id, "pushmsg", Value::EMPTY, Mode::TwoWay);
        let error = next_where("the push", &mut events, |event| match event {
            Event::Undecodable { error, .. } => Some(error),
            _ => None,
        });
        assert!(error.await.to_string().contains("mtype"));
        seen(&gate, "the answer", |s| s.pushes_answered == 1).await;
        assert!(client.state().is_online());
    }
}

#[tokio::test]
async fn a_push_that_comes_twice_is_answered_twice_and_delivered_once() {
    for via in Via::THREE {
        let gate = start_gate();
        let (ann, bob) = (login(&gate, 0, via).await, login(&gate, 1, via).await);
        let mut inbox = bob.events();
        gate.faults().duplicate_pushes(true);
        let to = gate.users()[1].id;
        let mut sent = Vec::new();
        for text in ["a", "b", "c"] {
            let receipt = within("the send", ann.send_chat(to, text)).await;
            sent.push(receipt.expect("sent").message_id);
        }
        seen(&gate, "six answers", |s| {
            s.answers_of("pushmsg").count() == 6
        })
        .await;
        let got: Vec<_> = std::iter::from_fn(|| inbox.try_recv())
            .filter_map(|event| match event {
                Event::Message(message) => Some(message.message_id),
                _ => None,
            })
            .collect();
        assert_eq!(got, sent, "{via:?}");
    }
}

#[tokio::test]
async fn a_gate_that_falls_silent_is_given_up() {
    for via in [Via::Ws, Via::Wss] {
        let gate = start_gate();
        let limit = Duration::from_millis(300);
        let options = direct(&gate, 0, via).max_ping_interval(Some(limit));
        let client = log_in(options).await;
        let mut events = client.events();
        gate.faults().wire(Whom::Open, WireFault::Mute);
        let mut call = client.call(echo(1));
        begin(&mut call);
        let error = within("the call", call).await.expect_err("a mute gate");
        assert_eq!(error.kind(), &LOST);
        let Cause::Lost(LostReason::Silent(span)) = closed(&mut events).await else {
            panic!("{}", client.state());
        };
        assert!(span >= limit, "{via:?}: {span:?}");
    }
}

#[tokio::test]
async fn a_silent_byte_stream_is_probed_before_it_is_given_up() {
    let gate = start_gate();
    let start = tokio::time::Instant::now();
    let client = login(&gate, 0, Via::Tcp).await;
    let mut events = client.events();
    gate.faults().wire(Whom::Open, WireFault::Mute);
    // The last byte came at some time since the start.
    let before = tokio::time::Instant::now();
    let earliest = Duration::from_secs(25).saturating_sub(before - start);
    tokio::time::pause();
    let cause = closed(&mut events).await;
    assert!(
        matches!(cause, Cause::Lost(LostReason::Silent(_))),
        "{cause}"
    );
    let took = before.elapsed();
    assert!(earliest <= took && took.as_secs() <= 25, "{took:?}");
    seen(&gate, "the probe", |s| s.count("*ping") == 1).await;
}

/// Fills everything between the client and a gate that does not read.
async fn fill(client: &Client, gate: &Arc<Gate>) -> (Vec<Call<Custom>>, RequestError) {
    gate.faults().wire(Whom::Open, WireFault::StallReads);
    let blob = vec![1_u8; 256 * 1024];
    let mut calls = Vec::new();
    loop {
        assert!(calls.len() < 1000, "nothing holds it back");
        let mut call = client.call(Custom::new("t_echo").field("v", blob.clone()));
        let once = futures::poll!(&mut call);
        match once {
            std::task::Poll::Pending => calls.push(call),
            std::task::Poll::Ready(result) => {
                return (calls, result.expect_err("nobody answers"));
            }
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_makes_backpressure_and_no_deadlock() {
    for via in Via::THREE {
        let gate = start_gate();
        let limits = direct(&gate, 0, via).max_unsent(1 << 20);
        let client = log_in(limits.request_timeout(Duration::from_secs(20))).await;
        let mut events = client.events();
        let (calls, error) = fill(&client, &gate).await;
        assert_eq!(error.kind(), &RequestErrorKind::Backpressure, "{via:?}");
        // Pushes still come in while nothing goes out.
        gate.push(gate.users()[0].id, "pushmsg", message(1), Mode::OneWay);
        next_message(&mut events).await;
        let hasty = client.with_timeout(Duration::from_millis(50));
        let error = within("a call", hasty.call(echo(1))).await;
        let error = error.expect_err("the gate does not read");
        assert_eq!(error.kind(), &RequestErrorKind::TimedOut { sent: false });
        gate.faults().clear();
        for result in within("the calls", futures::future::join_all(calls)).await {
            result.expect("an answer");
        }
        within("the next call", client.call(echo(2)))
            .await
            .expect("an answer");
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_answers_to_its_pushes_is_left() {
    let gate = start_gate();
    let client = log_in(
        direct(&gate, 0, Via::Tcp)
            .max_unsent(1 << 20)
            .event_capacity(10),
    )
    .await;
    let mut events = client.events();
    // Unknown to the client, so that its answers are long.
    let feed = Custom::new("t_push")
        .field("n", 10_000_000)
        .field("method", "pushnews");
    within("t_push", client.call(feed))
        .await
        .expect("an answer");
    gate.faults().wire(Whom::Open, WireFault::StallReads);
    let cause = closed(&mut events).await;
    assert_eq!(cause, Cause::Lost(LostReason::PeerNotReading));
}

#[tokio::test]
async fn large_calls_and_many_pushes_pass_each_other() {
    for via in Via::THREE {
        let gate = start_gate();
        let client = login(&gate, 0, via).await;
        let mut events = client.events();
        let feed = Custom::new("t_push").field("n", 2000).field("len", 1000);
        within("t_push", client.call(feed))
            .await
            .expect("an answer");
        let blob = vec![9_u8; 1 << 20];
        let calls = (0..8).map(|_| client.call(Custom::new("t_echo").field("v", blob.clone())));
        let answers = within("the calls", futures::future::join_all(calls)).await;
        for answer in answers {
            assert_eq!(answer.expect("an answer")["v"].as_slice(), Some(&blob[..]));
        }
        assert_eq!(messages(&mut events, 2000).await.len(), 2000, "{via:?}");
    }
}
