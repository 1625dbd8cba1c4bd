//! Ways for a session to end.

use std::sync::{Arc, Mutex};
use std::thread;

use rtm_gate::{Effect, Ended, Times};
use rtm_proto::api::Caller;
use rtm_proto::error::{Cause, RequestErrorKind};
use rtm_proto::{Event, State};

use crate::adapters::Adapter;
use crate::stage::{Stage, Tester, Transport, echo};

pub(crate) fn kickout_is_final<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login_with(stage.options(0).auto_reconnect(true));
    let mut events = client.events();
    assert_eq!(stage.gate.kick(stage.user(0)), 1);
    assert!(events.any(|event| matches!(event, Event::KickedOut(_))));
    let cause = Cause::KickedOut;
    let state = client.until(State::is_closed);
    assert_eq!(state, State::Closed { cause });
    let error = client.call(echo(1)).unwrap_err();
    assert_eq!(error.kind(), &RequestErrorKind::NotConnected);
    assert_eq!(stage.gate.seen().count("auth"), 1);
}

pub(crate) fn logout_ends_pending_calls<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    stage
        .gate
        .faults()
        .on("t_echo", Effect::Ignore, Times::Always);
    thread::scope(|scope| {
        let calls: Vec<_> = (0..4)
            .map(|n| {
                let client = &client;
                scope.spawn(move || client.call(echo(n)).unwrap_err())
            })
            .collect();
        stage.sees("the calls", |seen| seen.count("t_echo") == 4);
        client.logout();
        for call in calls {
            let lost = RequestErrorKind::ConnectionLost { sent: true };
            assert_eq!(call.join().unwrap().kind(), &lost);
        }
    });
    let cause = Cause::LoggedOut;
    assert_eq!(client.state(), State::Closed { cause });
    assert_eq!(client.in_flight(), 0);
    assert_eq!(stage.gate.seen().count("bye"), 1);
    stage.sees("the end of the connection", |seen| seen.open() == 0);
}

pub(crate) fn the_last_handle_logs_out<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    let mut events = client.events();
    let clones = vec![client.clone(); 10];
    drop(client);
    assert_eq!(clones[0].echo(1).unwrap(), 1.into());
    assert_eq!(stage.gate.seen().count("bye"), 0);
    drop(clones);
    stage.sees("a goodbye", |seen| seen.count("bye") == 1);
    let last = events.by_ref().last().unwrap();
    let cause = Cause::LoggedOut;
    assert!(
        matches!(&last, Event::State(State::Closed { cause: c }) if *c == cause),
        "{last:?}"
    );
    assert!(events.next().is_none());
    stage.sees("that the client closed the connection", |seen| {
        seen.connections[0].ended == Some(Ended::Peer)
    });
}

/// It runs where the client's own threads and tasks are, which must not wait
/// for themselves.
pub(crate) fn the_last_handle_may_go_where_tokens_come_from<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let last: Arc<Mutex<Option<Tester<A>>>> = Arc::default();
    let asked = last.clone();
    let options = stage.options(0).auto_reconnect(true);
    let client = stage.build_with_tokens(options.gate(stage.endpoint()), move || {
        drop(asked.lock().unwrap().take());
        None
    });
    client.try_login().unwrap();
    let events = client.events();
    *last.lock().unwrap() = Some(client);
    stage.gate.expire_tokens();
    stage.gate.faults().drop_connections();
    let ended = events.last().unwrap();
    assert!(
        matches!(&ended, Event::State(State::Closed { .. })),
        "{ended:?}"
    );
    assert!(last.lock().unwrap().is_none(), "the provider was asked");
    stage.sees("the end of the connection", |seen| seen.open() == 0);
}

pub(crate) fn calls_after_logout_fail_at_once<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    client.logout();
    client.logout();
    let error = client.call(echo(1)).unwrap_err();
    assert_eq!(error.kind(), &RequestErrorKind::NotConnected);
}

pub(crate) fn abort_ends_everything_at_once<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    stage
        .gate
        .faults()
        .on("t_echo", Effect::Ignore, Times::Always);
    thread::scope(|scope| {
        let call = scope.spawn(|| client.call(echo(1)).unwrap_err());
        stage.sees("the call", |seen| seen.count("t_echo") == 1);
        client.abort();
        let lost = RequestErrorKind::ConnectionLost { sent: true };
        assert_eq!(call.join().unwrap().kind(), &lost);
    });
    assert_eq!(client.in_flight(), 0);
    stage.sees("the end of the connection", |seen| seen.open() == 0);
    assert_eq!(stage.gate.seen().count("bye"), 0);
}
