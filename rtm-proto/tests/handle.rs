//! The handle and the driver's side of it, without any runtime.
#![cfg(feature = "handle")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rtm_proto::handle::{self, Action};
use rtm_proto::{Config, Input, Instant, SocketEnd, State};

#[test]
fn a_login_whose_session_closed_in_the_same_turn_has_succeeded() {
    let config = Config::fpnn("tcp://gate:1".parse().unwrap());
    let (mut driver, client) = handle::new(config, 7, Duration::ZERO, || Instant::ZERO);
    let mut cx = Context::from_waker(Waker::noop());
    let mut login = pin!(client.login());
    assert!(login.as_mut().poll(&mut cx).is_pending());

    let mut turn = driver.turn(Waker::noop(), []);
    let Some(Action::Connect { conn, .. }) = turn.actions.pop_front() else {
        panic!("a login connects");
    };
    let reason = SocketEnd::Eof;
    driver.turn(
        Waker::noop(),
        [
            Input::Connected { conn },
            Input::Disconnected { conn, reason },
        ],
    );

    assert!(matches!(client.state(), State::Closed { .. }));
    let Poll::Ready(Ok(session)) = login.poll(&mut cx) else {
        panic!("the session had opened");
    };
    assert_eq!(session.gate.to_string(), "tcp://gate:1");
}
