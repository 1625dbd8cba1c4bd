//! Wakers and futures handled in unusual ways: nothing hangs, nothing is left behind.

use std::pin::Pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::Stream;
use rtm_client_tokio::error::{Cause, LoginErrorKind};
use rtm_client_tokio::prelude::*;
use rtm_gate::{Effect, Gate, Times};

use crate::support::*;

/// A waker of a task that holds the client: it looks at it when it goes.
struct Nosy(Client);

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Nosy {
    fn drop(&mut self) {
        let _ = self.0.in_flight();
    }
}

impl Nosy {
    /// A waker, and a way to see whether anybody still has it.
    fn waker(client: &Client) -> (Waker, Weak<Nosy>) {
        let nosy = Arc::new(Nosy(client.clone()));
        let left = Arc::downgrade(&nosy);
        (nosy.into(), left)
    }
}

/// Runs what may block its thread for ever in a thread and a runtime of its own.
fn in_time<F: Future>(what: &str, work: impl FnOnce() -> F + Send + 'static) {
    let (done, finished) = channel();
    std::thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().expect("a runtime");
        runtime.block_on(work());
        drop(runtime);
        let _ = done.send(());
    });
    let outcome = finished.recv_timeout(LIMIT);
    assert!(outcome.is_ok(), "it hangs or panicked: {what}");
}

/// Polls with a waker that is used once, and tells whether anybody kept it.
fn poll_once<T>(client: &Client, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Weak<Nosy> {
    let (waker, left) = Nosy::waker(client);
    assert!(poll(&mut Context::from_waker(&waker)).is_pending());
    left
}

fn silent_gate() -> Arc<Gate> {
    let gate = start_gate();
    never_answered(&gate);
    gate
}

#[test]
fn a_call_that_moves_to_another_task_lets_go_of_the_first() {
    in_time("a call polled from two tasks", async || {
        let gate = silent_gate();
        let client = login(&gate, 0, Via::Tcp).await;
        let mut call = client.call(echo(1));
        let first = poll_once(&client, |cx| Pin::new(&mut call).poll(cx));
        assert_eq!(first.strong_count(), 1);
        let second = poll_once(&client, |cx| Pin::new(&mut call).poll(cx));
        assert_eq!((first.strong_count(), second.strong_count()), (0, 1));
        drop(call);
        assert_eq!(second.strong_count(), 0);
    });
}

#[test]
fn a_stream_keeps_the_waker_of_its_last_poll_only() {
    in_time("streams polled from many tasks", async || {
        let gate = silent_gate();
        let client = login(&gate, 0, Via::Tcp).await;
        let (mut events, mut watch) = (client.events(), client.watch());
        while events.try_recv().is_some() {}
        let _ = within("the state", watch.next()).await;
        let mut seen = Vec::new();
        for _ in 0..100 {
            seen.push(poll_once(&client, |cx| Pin::new(&mut events).poll_next(cx)));
            seen.push(poll_once(&client, |cx| Pin::new(&mut watch).poll_next(cx)));
        }
        let kept = |seen: &[Weak<Nosy>]| seen.iter().filter(|w| w.strong_count() > 0).count();
        assert_eq!(kept(&seen), 2);
        drop((events, watch));
        assert_eq!(kept(&seen), 0);
    });
}

#[test]
fn logins_and_logouts_that_are_dropped_leave_no_waker() {
    in_time("logins and logouts polled and dropped", async || {
        let gate = start_gate();
        gate.faults().on("bye", Effect::Ignore, Times::Always);
        let client = direct(&gate, 0, Via::Tcp).build().expect("valid options");
        let mut waiting = client.login();
        let first = poll_once(&client, |cx| Pin::new(&mut waiting).poll(cx));
        let second = poll_once(&client, |cx| Pin::new(&mut waiting).poll(cx));
        assert_eq!((first.strong_count(), second.strong_count()), (0, 1));
        drop(waiting);
        assert_eq!(second.strong_count(), 0);
        within("login", client.login()).await.expect("a login");
        let mut logout = client.logout();
        let only = poll_once(&client, |cx| Pin::new(&mut logout).poll(cx));
        assert_eq!(only.strong_count(), 1);
        drop(logout);
        assert_eq!(only.strong_count(), 0);
    });
}

#[tokio::test]
async fn every_reader_wakes_at_the_end_whoever_got_the_last_event() {
    let gate = start_gate();
    let client = login(&gate, 0, Via::Ws).await;
    let readers: Vec<_> = (0..8)
        .map(|_| tokio::spawn(client.events().collect::<Vec<_>>()))
        .collect();
    drop(client);
    let mut events = 0;
    for reader in readers {
        events += within("a reader", reader).await.expect("no panic").len();
    }
    assert_eq!(
        events,
        "connecting online closing closed".split(' ').count()
    );
}

/// A login that waits for the session before it to close.
async fn login_behind_a_logout(gate: &Arc<Gate>) -> (Client, tokio::task::JoinHandle<Login>) {
    let later = Duration::from_millis(100);
    gate.faults().on("bye", Effect::Delay(later), Times::N(1));
    let client = login(gate, 0, Via::Tcp).await;
    let mut logout = client.logout();
    let _ = poll_once(&client, |cx| Pin::new(&mut logout).poll(cx));
    assert_eq!(client.state(), State::Closing);
    let mut again = client.login();
    let _ = poll_once(&client, |cx| Pin::new(&mut again).poll(cx));
    (client, tokio::spawn(again))
}

type Login = Result<rtm_client_tokio::Session, LoginError>;

#[tokio::test]
async fn a_login_during_a_logout_starts_once_that_is_done() {
    let gate = start_gate();
    let (client, again) = login_behind_a_logout(&gate).await;
    within("login", again)
        .await
        .expect("no panic")
        .expect("a login");
    assert!(client.state().is_online());
    assert_eq!(gate.seen().count("auth"), 2);
}

#[tokio::test]
async fn a_login_behind_a_logout_ends_if_a_second_logout_revokes_it() {
    let gate = start_gate();
    let (client, again) = login_behind_a_logout(&gate).await;
    within("logout", client.logout()).await;
    let error = within("login", again).await.expect("no panic");
    assert_eq!(
        error.expect_err("revoked").kind(),
        &LoginErrorKind::LoggedOut
    );
    assert_eq!(cause_of(&client), Cause::LoggedOut);
}

#[tokio::test]
async fn a_login_behind_a_logout_ends_if_the_last_handle_goes() {
    let gate = start_gate();
    let (client, again) = login_behind_a_logout(&gate).await;
    drop(client);
    let error = within("login", again).await.expect("no panic");
    assert_eq!(
        error.expect_err("revoked").kind(),
        &LoginErrorKind::LoggedOut
    );
}

#[tokio::test]
async fn a_login_first_polled_after_the_last_handle_went_is_refused() {
    let gate = start_gate();
    let client = direct(&gate, 0, Via::Tcp).build().expect("valid options");
    let (soon, late, mut events) = (client.login(), client.login(), client.events());
    drop(client);
    // The driver may still be there for the first and is gone for the second.
    let error = within("login", soon)
        .await
        .expect_err("nobody could log out");
    assert_eq!(error.kind(), &LoginErrorKind::LoggedOut);
    assert_eq!(story(&mut events).await.words, ["closed"]);
    assert!(within("the end of events", events.next()).await.is_none());
    tokio::task::yield_now().await;
    let error = within("login", late)
        .await
        .expect_err("nobody could log out");
    assert_eq!(error.kind(), &LoginErrorKind::LoggedOut);
    assert_eq!(gate.seen().connections.len(), 0);
}
