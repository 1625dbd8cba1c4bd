//! Slow consumers on this side, slow peers on the other.

use std::thread;

use rmpv::Value;
use rtm_gate::{Mode, Whom, WireFault};
use rtm_proto::Event;
use rtm_proto::api::{Caller, Custom};
use rtm_proto::error::RequestErrorKind;

use crate::adapters::Adapter;
use crate::stage::{Stage, Transport, echo, eventually};

const MIB: usize = 1024 * 1024;

pub(crate) fn a_slow_consumer_learns_how_much_it_missed<A: Adapter>(transport: Transport) {
    const COUNT: u64 = 5000;
    let stage = Stage::<A>::new(transport);
    let client = stage.login_with(stage.options(0).event_capacity(100));
    let quest = Custom::new("t_push").field("n", COUNT).field("mid0", 1);
    client.call(quest).unwrap();
    stage.sees("an answer to each push", |seen| {
        seen.answers.len() == COUNT as usize
    });
    // Every push is answered before it is queued; one more call later all are.
    client.echo(1).unwrap();
    let (mut missed, mut got) = (0, Vec::new());
    for event in client.events() {
        match event {
            Event::Lagged { missed: more } => missed += more,
            Event::Message(message) => got.push(i64::from(message.message_id) as u64),
            _ => {}
        }
        if got.last() == Some(&COUNT) {
            break;
        }
    }
    assert!(got.len() <= 100);
    assert_eq!(missed + got.len() as u64, COUNT);
    let first = COUNT - got.len() as u64 + 1;
    assert_eq!(got, (first..=COUNT).collect::<Vec<_>>());
}

/// More bytes than the kernel takes wait to be sent, and still what the peer
/// says is heard; when it reads again, everything arrives.
pub(crate) fn a_peer_that_does_not_read_is_still_heard<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login_with(stage.options(0).max_unsent(64 * MIB));
    let mut events = client.events();
    stage.gate.faults().wire(Whom::Open, WireFault::StallReads);
    thread::scope(|scope| {
        let calls: Vec<_> = (0..16)
            .map(|n: u8| {
                let client = &client;
                scope.spawn(move || {
                    let bytes = Value::from(vec![n; MIB]);
                    (client.echo(bytes.clone()), bytes)
                })
            })
            .collect();
        eventually("all calls are made", || client.in_flight() == 16);
        for n in 1..=20 {
            let payload = rtm_gate::Value::map([
                ("from", 5.into()),
                ("mtype", 30.into()),
                ("mid", n.into()),
                ("msg", "are you there?".into()),
            ]);
            let sent = stage
                .gate
                .push(stage.user(0), "pushmsg", payload, Mode::TwoWay);
            assert_eq!(sent, 1);
            assert_eq!(i64::from(events.message().message_id), n);
        }
        assert_eq!(client.in_flight(), 16);
        stage.gate.faults().clear();
        for call in calls {
            let (answer, expected) = call.join().unwrap();
            assert!(answer.unwrap() == expected);
        }
    });
    stage.sees("the answers to the pushes", |seen| seen.answers.len() == 20);
}

pub(crate) fn too_much_for_a_peer_that_does_not_read_is_refused<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login_with(stage.options(0).max_unsent(4 * MIB));
    stage.gate.faults().wire(Whom::Open, WireFault::StallReads);
    // 64 MiB are far more than the kernel takes.
    let requests = (0..64_u8).map(|n| echo(Value::from(vec![n; MIB])));
    let brief = client.with_timeout(std::time::Duration::from_millis(500));
    let answers = brief.call_all(requests);
    let refused = |kind: &RequestErrorKind| matches!(kind, RequestErrorKind::Backpressure);
    let late = |kind: &RequestErrorKind| matches!(kind, RequestErrorKind::TimedOut { .. });
    let errors: Vec<_> = answers.into_iter().map(Result::unwrap_err).collect();
    assert!(errors.iter().any(|e| refused(e.kind())));
    assert!(errors.iter().any(|e| late(e.kind())));
    assert!(errors.iter().all(|e| refused(e.kind()) || late(e.kind())));
    assert_eq!(client.in_flight(), 0);
    stage.gate.faults().clear();
    let caught_up = || client.call(echo(1)).is_ok();
    eventually("calls are accepted again", caught_up);
}
