use std::future::Future;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant as StdInstant};

use rtm_proto::error::LoginErrorKind;
use rtm_proto::handle::{Action, Driver, Handle};
use rtm_proto::{Config, ConnId, Instant};

use super::{Engine, lock};
use crate::block;

/// A client of the service at `listener`, with a clock that panics once when
/// told to.
fn client(listener: &TcpListener, broken: Arc<AtomicBool>) -> (Driver, Handle, StdInstant) {
    let gate = format!("tcp://{}", listener.local_addr().unwrap());
    let config = Config::new(1, 2.into(), "token").gate(gate.parse().unwrap());
    let epoch = StdInstant::now();
    let clock = move || {
        assert!(!broken.swap(false, Ordering::SeqCst), "the clock is broken");
        Instant::from_duration(epoch.elapsed())
    };
    let (driver, handle) = rtm_proto::handle::new(config, 1, Duration::ZERO, clock);
    (driver, handle, epoch)
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn poll_once(future: &mut (impl Future + Unpin)) {
    let _ = Pin::new(future).poll(&mut Context::from_waker(Waker::noop()));
}

/// The name of a connection that no engine knows.
fn stranger(listener: &TcpListener) -> ConnId {
    let (mut driver, handle, _) = client(listener, Arc::default());
    let mut login = handle.login();
    poll_once(&mut login);
    let turn = driver.turn(Waker::noop(), []);
    match turn.actions.front() {
        Some(Action::Connect { conn, .. }) => *conn,
        other => panic!("{other:?}"),
    }
}

/// Whoever finds the pump held leaves its wish to the holder, also when that
/// one wanted something else of it.
#[test]
fn a_socket_that_nobody_wants_passes_on_the_wish_to_pump() {
    let listener = listener();
    let conn = stranger(&listener);
    let (driver, _handle, epoch) = client(&listener, Arc::default());
    let engine = Engine::new(driver, epoch, None);
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let held = lock(&engine.pump);
    thread::scope(|scope| {
        let reader = scope.spawn(|| engine.connected(conn, stream));
        engine.pump();
        assert!(lock(&engine.signal).again);
        drop(held);
        assert!(reader.join().unwrap().is_none(), "nobody wanted it");
    });
    assert!(!lock(&engine.signal).again, "the wish was forgotten");
}

#[test]
fn a_panic_while_pumping_ends_every_call_and_all_threads() {
    let listener = listener();
    let broken = Arc::new(AtomicBool::new(false));
    let (driver, handle, epoch) = client(&listener, broken.clone());
    let (_engine, timer) = Engine::start(driver, epoch, None).unwrap();
    let mut login = handle.login();
    poll_once(&mut login);
    let (mut peer, _) = listener.accept().unwrap();
    // The login has been sent: whoever pumps next does so because of the peer.
    peer.read_exact(&mut [0; 16]).unwrap();
    broken.store(true, Ordering::SeqCst);
    peer.write_all(b"F").unwrap();
    let error = block::wait(login).unwrap_err();
    assert_eq!(error.kind(), &LoginErrorKind::Aborted);
    // It may have been the one that panicked.
    let _ = timer.join();
}
