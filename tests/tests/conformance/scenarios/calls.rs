//! Calls and their answers.

use std::thread;
use std::time::{Duration, Instant};

use rtm_gate::{Effect, Times};
use rtm_proto::RequestOptions;
use rtm_proto::error::{ErrorCode, RequestErrorKind};

use crate::adapters::Adapter;
use crate::stage::{Stage, Transport, echo, eventually};

pub(crate) fn a_thousand_calls_at_once_get_their_own_answers<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    for (n, answer) in client.call_all((0..1000).map(echo)).into_iter().enumerate() {
        assert_eq!(answer.unwrap()["v"], n.into());
    }
    assert_eq!(client.in_flight(), 0);
    assert_eq!(stage.gate.seen().count("t_echo"), 1000);
}

pub(crate) fn a_call_without_answer_times_out_alone<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    stage
        .gate
        .faults()
        .on("t_echo", Effect::Ignore, Times::N(1));
    let limit = Duration::from_millis(200);
    let start = Instant::now();
    let error = client.with_timeout(limit).echo(1).unwrap_err();
    assert!(start.elapsed() >= limit);
    let late = RequestErrorKind::TimedOut { sent: true };
    assert_eq!(error.kind(), &late);
    assert_eq!(client.in_flight(), 0);
    assert_eq!(client.echo(2).unwrap(), 2.into());
}

pub(crate) fn the_answer_of_a_call_that_timed_out_is_ignored<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    let late = Effect::Delay(Duration::from_millis(600));
    stage.gate.faults().on("t_echo", late, Times::N(11));
    let brief = client.with_timeout(Duration::from_millis(200));
    for answer in brief.call_all((0..10).map(echo)) {
        let error = answer.unwrap_err();
        let late = RequestErrorKind::TimedOut { sent: true };
        assert_eq!(error.kind(), &late);
    }
    assert_eq!(client.in_flight(), 0);
    // Answered as late as they are, but asked after them.
    assert_eq!(client.echo(1000).unwrap(), 1000.into());
    assert_eq!(client.echo(1001).unwrap(), 1001.into());
    assert_eq!(client.in_flight(), 0);
}

pub(crate) fn an_error_of_the_server_is_told<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.login(0);
    let faults = stage.gate.faults();
    faults.on("t_echo", Effect::Error(200_010), Times::N(1));
    let error = client.echo(1).unwrap_err();
    assert!(matches!(error.kind(), RequestErrorKind::Server { .. }));
    assert_eq!(error.code(), ErrorCode(200_010));
    assert_eq!(error.method(), "t_echo");
    assert_eq!(client.echo(2).unwrap(), 2.into());
}

pub(crate) fn a_call_may_wait_for_the_session<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.build(stage.options(0).gate(stage.endpoint()));
    let patient = client.with_options(RequestOptions::default().wait_online(true));
    thread::scope(|scope| {
        let call = scope.spawn(|| patient.echo(7));
        eventually("the call waits", || client.in_flight() == 1);
        client.try_login().unwrap();
        assert_eq!(call.join().unwrap().unwrap(), 7.into());
    });
    let brief = RequestOptions::default()
        .wait_online(true)
        .timeout(Duration::from_millis(30));
    let idle = stage.build(stage.options(1).gate(stage.endpoint()));
    let error = idle.with_options(brief).echo(8).unwrap_err();
    let late = RequestErrorKind::TimedOut { sent: false };
    assert_eq!(error.kind(), &late);
    assert_eq!(idle.in_flight(), 0);
}

pub(crate) fn calls_without_session_fail_at_once<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let client = stage.build(stage.options(0).gate(stage.endpoint()));
    for answer in client.call_all((0..10).map(echo)) {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), &RequestErrorKind::NotConnected);
    }
    assert!(stage.gate.seen().connections.is_empty());
}
