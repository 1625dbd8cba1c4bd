//! Connections that are lost, and what comes after.

use std::thread;
use std::time::Duration;

use rtm_gate::{Effect, Gate, Times, Whom, WireFault};
use rtm_proto::api::{Caller, MessageApi, RoomApi, SendMessage};
use rtm_proto::error::{Cause, LostReason, RequestErrorKind};
use rtm_proto::handle::Builder;
use rtm_proto::{Backoff, RequestOptions, RoomId, State, UserId};

use crate::adapters::Adapter;
use crate::stage::{Stage, Transport, echo};

/// Options of a client that comes back soon.
fn persistent<A: Adapter>(stage: &Stage<A>) -> Builder<A::Start> {
    let pause = Backoff::fixed(Duration::from_millis(10));
    stage.options(0).auto_reconnect(true).backoff(pause)
}

pub(crate) fn rooms_are_restored<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login_with(persistent(&stage));
    for room in [1, 2, 3, 4] {
        client.enter_room(room).unwrap();
    }
    client.leave_room(3).unwrap();
    stage.gate.forget_seen();
    stage.gate.faults().drop_connections();
    stage.sees("the rooms again", |seen| seen.count("enterroom") == 3);
    // A waiting call goes out when the rooms are back.
    let patient = client.with_options(RequestOptions::default().wait_online(true));
    let mut rooms = patient.get_user_rooms().unwrap();
    rooms.sort();
    assert_eq!(rooms, [1, 2, 4].map(RoomId));
    client.send_room_chat(4, "still here").unwrap();
}

pub(crate) fn a_restart_of_the_server_is_survived<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login_with(persistent(&stage));
    let mut events = client.events();
    assert!(matches!(events.state(), State::Connecting { attempt: 1 }));
    assert!(events.state().is_online());
    for _ in 0..3 {
        stage.gate.restart().unwrap();
        let lost = events.state();
        assert!(
            matches!(
                &lost,
                State::Backoff {
                    cause: Cause::Lost(_),
                    ..
                }
            ),
            "{lost}"
        );
        while !events.state().is_online() {}
        client.send_chat(stage.user(1), "back").unwrap();
    }
}

pub(crate) fn a_lost_connection_ends_pending_calls<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    stage
        .gate
        .faults()
        .on("t_echo", Effect::Ignore, Times::Always);
    thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|n| {
                let client = &client;
                scope.spawn(move || client.call(echo(n)).unwrap_err())
            })
            .collect();
        stage.sees("the calls", |seen| seen.count("t_echo") == 8);
        stage.gate.faults().reset_connections();
        for call in calls {
            let error = call.join().unwrap();
            let lost = RequestErrorKind::ConnectionLost { sent: true };
            assert_eq!(error.kind(), &lost);
        }
    });
    let state = client.until(State::is_closed);
    assert!(
        matches!(
            &state,
            State::Closed {
                cause: Cause::Lost(_)
            }
        ),
        "{state}"
    );
    assert_eq!(client.in_flight(), 0);
}

/// While the gate pings the client stays; once nothing comes any more it goes,
/// although the socket is open.
pub(crate) fn a_half_open_connection_is_given_up<A: Adapter>(transport: Transport) {
    let limit = Duration::from_millis(1500);
    let gate = Gate::builder().ping_interval(limit / 10).start().unwrap();
    let stage = Stage::<A>::at(gate, transport);
    let client = stage.login_with(persistent(&stage).max_ping_interval(Some(limit)));
    let mut events = client.events();
    while !events.state().is_online() {}
    stage.sees("more pings than fit into the limit", |seen| {
        seen.answers_of("ping").count() >= 12
    });
    assert_eq!(stage.gate.seen().count("auth"), 1);
    stage.gate.faults().wire(Whom::Open, WireFault::Mute);
    let error = client.call(echo(1)).unwrap_err();
    let ended = RequestErrorKind::ConnectionLost { sent: true };
    assert_eq!(error.kind(), &ended);
    let lost = events.state();
    let State::Backoff {
        cause: Cause::Lost(LostReason::Silent(silence)),
        ..
    } = lost
    else {
        panic!("{lost}")
    };
    assert!(silence >= limit);
    while !events.state().is_online() {}
    assert_eq!(client.echo(2).unwrap(), 2.into());
}

pub(crate) fn a_message_whose_answer_was_lost_arrives_once<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let bob = stage.login(1);
    let ann = stage.login_with(persistent(&stage));
    let faults = stage.gate.faults();
    faults.on("sendmsg", Effect::LoseAnswerAndClose, Times::N(1));
    let resending = ann.with_options(RequestOptions::default().resend_on_loss(3));
    let to = UserId(stage.user(1));
    let receipt = resending.call(SendMessage::chat(to, "once")).unwrap();
    assert!(receipt.deduplicated);
    assert_eq!(stage.gate.seen().count("sendmsg"), 2);

    let mut events = bob.events();
    let once = events.message();
    assert_eq!(once.message_id, receipt.message_id);
    ann.send_chat(to, "after it").unwrap();
    assert_eq!(events.message().body.as_text(), Some("after it"));
}
