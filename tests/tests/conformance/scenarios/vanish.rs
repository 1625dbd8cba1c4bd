//! Futures that are dropped before they are done.

use std::time::Duration;

use rtm_gate::{Effect, Times};

use crate::adapters::Drops;
use crate::stage::{Stage, Transport, echo};

pub(crate) fn dropped_calls_leave_nothing_in_flight<A: Drops>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    let late = Effect::Delay(Duration::from_millis(20));
    stage.gate.faults().on("t_echo", late, Times::N(100));
    for n in 0..100 {
        client.adapter.poll_and_drop(&client.client, echo(n));
    }
    assert_eq!(client.in_flight(), 0);
    // The late answers of those calls are nobody's.
    for n in 1000..1100 {
        assert_eq!(client.echo(n).unwrap(), n.into());
    }
    assert_eq!(client.in_flight(), 0);
}

pub(crate) fn a_call_that_was_never_polled_sends_nothing<A: Drops>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    for n in 0..100 {
        client.adapter.drop_unpolled(&client.client, echo(n));
    }
    assert_eq!(client.in_flight(), 0);
    client.echo(1).unwrap();
    assert_eq!(stage.gate.seen().count("t_echo"), 1);
}

pub(crate) fn a_dropped_login_goes_on<A: Drops>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.build(stage.options(0).gate(stage.endpoint()));
    client.adapter.poll_and_drop_login(&client.client);
    client.until(rtm_proto::State::is_online);
    client.echo(1).unwrap();
}
