//! A client whose driver the application runs itself.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::{FutureExt, join, select};
use rtm_client_async_std::api::{Caller, Custom};
use rtm_client_async_std::detached::{Client, DriverFuture};
use rtm_client_async_std::error::{BuildError, LoginErrorKind, RequestErrorKind};
use rtm_gate::{Effect, Gate, Times};

const LIMIT: Duration = Duration::from_secs(30);

/// Runs a test; one that hangs fails.
fn within_limit(test: impl FnOnce() + Send + 'static) {
    let (done, waiting) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        test();
        drop(done);
    });
    let hangs = waiting.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout);
    assert!(!hangs, "not done after {LIMIT:?}");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn build(gate: &Gate) -> Result<(Client, DriverFuture), BuildError> {
    let user = &gate.users()[0];
    Client::builder(gate.project_id(), user.id, user.token.as_str())
        .gate(gate.gate().ws)
        .build()
}

#[test]
fn the_driver_ends_with_the_last_handle() {
    within_limit(|| {
        let gate = Gate::start().unwrap();
        let (client, driver) = build(&gate).unwrap();
        let work = async move {
            client.login().await.unwrap();
            let answer = client.call(Custom::new("t_echo").field("v", 5)).await;
            assert_eq!(answer.unwrap()["v"], 5.into());
            drop(client);
        };
        block_on(join(driver, work));
        assert_eq!(gate.seen().count("bye"), 1);
        assert!(gate.wait_for(|seen| seen.open() == 0, LIMIT));
    });
}

#[test]
fn a_dropped_driver_ends_every_call_and_all_events() {
    within_limit(|| {
        let gate = Gate::start().unwrap();
        let (client, driver) = build(&gate).unwrap();
        gate.faults().on("t_echo", Effect::Ignore, Times::Always);
        let mut driver = Box::pin(driver.fuse());
        block_on(async {
            select(&mut driver, client.login()).await;
        });
        assert!(client.state().is_online());
        let mut call = client.call(Custom::new("t_echo").field("v", 5));
        // Polled once, it is accepted.
        assert!((&mut call).now_or_never().is_none());
        drop(driver);
        let error = block_on(call).unwrap_err();
        assert!(matches!(
            error.kind(),
            RequestErrorKind::ConnectionLost { .. }
        ));
        let error = block_on(client.login()).unwrap_err();
        assert_eq!(error.kind(), &LoginErrorKind::Aborted);
        let events = futures::StreamExt::collect::<Vec<_>>(client.events());
        assert!(!block_on(events).is_empty());
    });
}

#[test]
fn a_driver_that_never_ran_leaves_no_call_waiting() {
    within_limit(|| {
        let gate = Gate::start().unwrap();
        let (client, driver) = build(&gate).unwrap();
        let mut login = client.login();
        assert!((&mut login).now_or_never().is_none());
        drop(driver);
        let error = block_on(login).unwrap_err();
        assert_eq!(error.kind(), &LoginErrorKind::Aborted);
        assert_eq!(gate.seen().connections.len(), 0);
    });
}
