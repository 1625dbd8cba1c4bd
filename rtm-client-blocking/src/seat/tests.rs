use std::future::Future;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use rtm_proto::api::{Caller as _, Custom};
use rtm_proto::handle::{Action, Driver, Handle};
use rtm_proto::{Config, ConnId, SocketEnd};

use super::{Caller, Offer, PATIENCE, Place, QUICK, Seat};
use crate::Client;
use crate::engine::Engine;

/// A connection: the client's side as a place, and its peer.
fn connection() -> (Place, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    (Place::new(conn(), stream), peer)
}

/// An engine whose client has done nothing yet.
fn engine() -> Arc<Engine> {
    let (driver, _) = client();
    Engine::new(driver, Instant::now(), None)
}

fn client() -> (Driver, Handle) {
    let config = Config::new(1, 2.into(), "token").gate("tcp://nowhere.invalid:1".parse().unwrap());
    rtm_proto::handle::new(config, 1, Duration::ZERO, || {
        rtm_proto::Instant::from_duration(Duration::ZERO)
    })
}

/// The name of some connection.
fn conn() -> ConnId {
    let (mut driver, handle) = client();
    let mut login = handle.login();
    let _ = Pin::new(&mut login).poll(&mut Context::from_waker(Waker::noop()));
    let actions = driver.turn(Waker::noop(), []).actions;
    match actions.front() {
        Some(Action::Connect { conn, .. }) => *conn,
        other => panic!("{other:?}"),
    }
}

/// Longer than a busy machine takes for anything.
const LONG: Duration = Duration::from_secs(20);

/// Frees a place on which a read waits for so long.
fn free_for(seat: &Seat, place: Place, patience: Duration) {
    place.stream.set_read_timeout(Some(patience)).unwrap();
    seat.lock().offer = Offer::Free(place);
}

fn free(seat: &Seat, place: Place) {
    free_for(seat, place, LONG);
}

#[test]
fn the_only_caller_takes_a_free_place_and_leaves_it_free() {
    let (engine, (place, mut peer)) = (engine(), connection());
    free(&engine.seat, place);
    peer.write_all(b"FPNN").unwrap();
    let caller = Caller::enter(&engine.seat, true);
    let sitting = caller.sit_down().expect("the place is free");
    assert!(matches!(engine.seat.lock().offer, Offer::Taken));
    assert!(sitting.read(&engine), "there was something to read");
    assert!(matches!(engine.seat.lock().offer, Offer::Free(_)));
    assert!(caller.sit_down().is_some());
}

#[test]
fn a_second_caller_and_one_that_may_not_read_send_the_reader_back() {
    for may_read in [[true, true], [false, false]] {
        let (seat, (place, _peer)) = (Seat::default(), connection());
        let [first, second] = may_read;
        let earlier = first.then(|| Caller::enter(&seat, first));
        free(&seat, place);
        let caller = Caller::enter(&seat, second);
        assert!(matches!(seat.lock().offer, Offer::Back(_)));
        assert!(!seat.is_quick());
        for caller in earlier.iter().chain([&caller]) {
            assert!(caller.sit_down().is_none());
        }
    }
}

#[test]
fn a_caller_that_is_joined_while_it_reads_leaves_to_the_reader() {
    let (engine, (place, mut peer)) = (engine(), connection());
    free(&engine.seat, place);
    let caller = Caller::enter(&engine.seat, true);
    let sitting = caller.sit_down().unwrap();
    let _second = Caller::enter(&engine.seat, true);
    peer.write_all(b"FPNN").unwrap();
    assert!(sitting.read(&engine));
    assert!(matches!(engine.seat.lock().offer, Offer::Back(_)));
}

#[test]
fn a_caller_reads_in_vain_once() {
    let (engine, (place, _peer)) = (engine(), connection());
    free_for(&engine.seat, place, PATIENCE);
    let caller = Caller::enter(&engine.seat, true);
    assert!(
        !caller.sit_down().unwrap().read(&engine),
        "there was nothing"
    );
    assert!(matches!(engine.seat.lock().offer, Offer::Back(_)));
}

#[test]
fn the_reader_learns_of_an_end_that_a_caller_saw() {
    let (engine, (place, peer)) = (engine(), connection());
    free(&engine.seat, place);
    drop(peer);
    let caller = Caller::enter(&engine.seat, true);
    assert!(!caller.sit_down().unwrap().read(&engine));
    let found = engine.seat.wait_for_place(engine.seat.lock());
    assert_eq!(found.map(drop), Err(SocketEnd::Eof));
}

#[test]
fn an_unused_place_returns_to_its_reader_and_waits_without_limit() {
    let (seat, (place, _peer)) = (Seat::default(), connection());
    let place = seat.offer(place).unwrap();
    assert_eq!(place.stream.read_timeout().unwrap(), None);
    assert!(matches!(seat.lock().offer, Offer::None));
}

#[test]
fn a_caller_that_parked_is_told_of_the_place() {
    let (seat, (place, _peer)) = (Seat::default(), connection());
    let caller = Caller::enter(&seat, true);
    assert!(caller.sit_down().is_none(), "the reader sits there");
    seat.offer(place).unwrap();
    let start = Instant::now();
    thread::park_timeout(LONG);
    assert!(start.elapsed() < LONG);
}

#[test]
fn a_place_survives_a_panic_of_the_caller_on_it() {
    let (seat, (place, _peer)) = (Seat::default(), connection());
    free(&seat, place);
    let caller = Caller::enter(&seat, true);
    let sitting = caller.sit_down().unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _sitting = sitting;
        panic!("while reading");
    }));
    assert!(outcome.is_err());
    assert!(matches!(seat.lock().offer, Offer::Back(_)));
}

#[test]
fn only_the_quick_answer_to_a_single_caller_counts() {
    let seat = Seat::default();
    assert!(!seat.is_quick(), "nobody asked");
    let first = Caller::enter(&seat, true);
    // Of the future, so that no pause of this thread makes it old.
    seat.lock().began = Some(Instant::now() + LONG);
    assert!(seat.is_quick());
    seat.lock().began = Instant::now().checked_sub(2 * QUICK);
    assert!(!seat.is_quick(), "it took too long");
    drop(first);
    let _impatient = Caller::enter(&seat, false);
    assert!(!seat.is_quick(), "it may not read");
}

/// The answer may be there before the caller looks for the place.
#[test]
fn a_caller_whose_answer_came_meanwhile_does_not_read() {
    let (engine, (place, peer)) = (engine(), connection());
    free(&engine.seat, place);
    // Reading would find this end.
    drop(peer);
    Seat::wait_for_end(&engine, true, |_| match engine.seat.lock().offer {
        Offer::Taken => Poll::Ready(()),
        _ => Poll::Pending,
    });
    assert!(matches!(engine.seat.lock().offer, Offer::Free(_)));
}

#[test]
fn a_place_is_not_offered_to_those_who_cannot_take_it() {
    for may_read in [[Some(true), Some(true)], [Some(false), None]] {
        let (seat, (place, _peer)) = (Seat::default(), connection());
        let _callers = may_read.map(|may| may.map(|may| Caller::enter(&seat, may)));
        seat.lock().parked = Some(thread::current());
        seat.offer(place).unwrap();
        assert!(seat.lock().parked.is_some(), "nobody was told");
    }
}

/// Where a call comes back within a millisecond, sooner or later its caller
/// reads it.
#[test]
fn lone_callers_do_read_their_answers() {
    let gate = rtm_gate::Gate::start().unwrap();
    let client = Client::fpnn(gate.gate().tcp).login().unwrap();
    let start = Instant::now();
    while !client.engine().seat.lock().used {
        assert!(start.elapsed() < LONG, "nobody ever sat down");
        client.call(Custom::new("*ping")).unwrap();
    }
}
