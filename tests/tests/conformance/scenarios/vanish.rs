//! Futures that are dropped before they are done.

use std::time::Duration;

use rtm_gate::{Effect, Times};

use crate::adapters::Drops;
use crate::stage::{Stage, Transport, echo};

pub(crate) fn dropped_calls_leave_nothing_in_flight<A: Drops>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    let late = Effect::Delay(Duration::from_secs(1));
    stage.gate.faults().on("t_echo", late, Times::N(31));
    for n in 1..=30 {
        let client = &client;
        let arrived = || stage.sees("the call", |seen| seen.count("t_echo") == n);
        let call = echo(n as u64);
        client.adapter.drop_when(&client.client, call, arrived);
    }
    assert_eq!(client.in_flight(), 0);
    // The late answers of those calls are nobody's: by the time this call is
    // answered, which is late too, all of them have come.
    assert_eq!(client.echo(1000).unwrap(), 1000.into());
    assert_eq!(client.echo(1001).unwrap(), 1001.into());
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
