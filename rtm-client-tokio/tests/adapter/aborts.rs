//! The end of a client's driver: whatever ends it, nobody waits for ever.

use std::time::Duration;

use futures::StreamExt;
use rtm_client_tokio::error::{BuildError, Cause, LoginErrorKind};
use rtm_client_tokio::prelude::*;
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

use crate::support::*;

fn runtime() -> Runtime {
    let mut builder = RuntimeBuilder::new_multi_thread();
    builder
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

#[test]
fn shutting_down_the_drivers_runtime_ends_calls_made_from_another() {
    for via in Via::THREE {
        let (theirs, ours) = (runtime(), runtime());
        let gate = start_gate();
        never_answered(&gate);
        let client = theirs.block_on(login(&gate, 0, via));
        let (mut events, mut watch) = (client.events(), client.watch());
        let pending = ours.block_on(Pending::start(&gate, &client, 3));
        let patient = client.with_options(RequestOptions::default().wait_online(true));
        theirs.shutdown_timeout(LIMIT);
        ours.block_on(async {
            pending
                .all_end(&LOST, ErrorCode::CORE_CONNECTION_CLOSED)
                .await;
            assert_eq!(cause_of(&client), Cause::Aborted);
            let late = within("a late call", patient.call(echo(1))).await;
            let late = late.expect_err("nobody drives the client");
            assert_eq!(late.kind(), &RequestErrorKind::NotConnected);
            let again = within("login", client.login())
                .await
                .expect_err("no driver");
            assert_eq!(again.kind(), &LoginErrorKind::Aborted);
            within("logout", client.logout()).await;
            assert_eq!(story(&mut events).await.cause, Cause::Aborted);
            assert!(within("the end of events", events.next()).await.is_none());
            let states = async { while watch.next().await.is_some() {} };
            within("the end of states", states).await;
            seen(&gate, "the end", |s| s.open() == 0).await;
        });
    }
}

#[test]
fn a_login_under_way_ends_with_its_runtime() {
    let (theirs, ours) = (runtime(), runtime());
    let gate = start_gate();
    gate.faults()
        .on("auth", rtm_gate::Effect::Ignore, rtm_gate::Times::Always);
    let client = {
        let _inside = theirs.enter();
        direct(&gate, 0, Via::Tcp).build().expect("valid options")
    };
    let login = ours.spawn(client.login());
    let waiting = client.with_options(RequestOptions::default().wait_online(true));
    let waiting = ours.spawn(waiting.call(echo(1)));
    ours.block_on(seen(&gate, "auth", |s| s.count("auth") == 1));
    drop(theirs);
    ours.block_on(async {
        let login = within("login", login).await.expect("no panic");
        assert_eq!(
            login.expect_err("no driver").kind(),
            &LoginErrorKind::Aborted
        );
        let call = within("the waiting call", waiting).await.expect("no panic");
        assert_eq!(
            call.expect_err("no driver").kind(),
            &RequestErrorKind::NotConnected
        );
    });
}

#[test]
fn a_client_of_a_runtime_that_is_gone_is_aborted_from_the_start() {
    let (theirs, ours) = (runtime(), runtime());
    let gate = start_gate();
    let handle = theirs.handle().clone();
    drop(theirs);
    let _inside = handle.enter();
    let client = direct(&gate, 0, Via::Tcp).build().expect("valid options");
    let login = ours.block_on(within("login", client.login()));
    assert_eq!(
        login.expect_err("no driver").kind(),
        &LoginErrorKind::Aborted
    );
}

#[test]
fn outside_a_runtime_a_client_cannot_be_built() {
    let gate = start_gate();
    let error = direct(&gate, 0, Via::Tcp).build().expect_err("no runtime");
    assert!(matches!(error, BuildError::Runtime { .. }), "{error}");
    assert!(error.to_string().contains("runtime"), "{error}");
}

#[test]
fn a_waiting_call_of_the_longest_time_limit_is_no_danger() {
    runtime().block_on(async {
        let gate = start_gate();
        let client = login(&gate, 0, Via::Tcp).await;
        let endless = client.with_timeout(Duration::MAX);
        within("a call", endless.call(echo(1)))
            .await
            .expect("an answer");
        assert!(client.state().is_online());
    });
}

#[test]
fn a_runtime_that_lacks_timers_or_sockets_fails_a_login_instead_of_hanging() {
    let gate = start_gate();
    let timers = |builder: &mut RuntimeBuilder| builder.enable_time().build();
    let sockets = |builder: &mut RuntimeBuilder| builder.enable_io().build();
    for lacking in [timers, sockets] {
        let mut builder = RuntimeBuilder::new_multi_thread();
        let theirs = lacking(builder.worker_threads(1)).expect("a runtime");
        let client = {
            let _inside = theirs.enter();
            direct(&gate, 0, Via::Tcp).build().expect("valid options")
        };
        let error = runtime().block_on(within("login", client.login()));
        assert_eq!(
            error.expect_err("no driver").kind(),
            &LoginErrorKind::Aborted
        );
    }
}
