//! Many threads use one client at once, and none of them waits for another.

use std::io::Read;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use rtm_client_blocking::Client;
use rtm_client_blocking::api::{Caller, Custom, MessageApi};
use rtm_client_blocking::error::RequestErrorKind;
use rtm_gate::Gate;

use crate::next_text;
use crate::support::{echo, login, within};

const MIB: usize = 1024 * 1024;

#[test]
fn a_hundred_threads_share_a_client() {
    within(Duration::from_secs(60), || {
        let gate = Gate::start().unwrap();
        let client = login(&gate, 0);
        thread::scope(|scope| {
            for thread in 0..100 {
                let client = client.clone();
                scope.spawn(move || {
                    for round in 0..100 {
                        let value = thread * 1000 + round;
                        let answer = client.call(echo(value)).unwrap();
                        assert_eq!(answer["v"], value.into());
                    }
                });
            }
        });
        assert_eq!(client.in_flight(), 0);
    });
}

#[test]
fn a_call_is_sent_while_another_thread_waits_for_events() {
    within(Duration::from_secs(60), || {
        let gate = Gate::start().unwrap();
        let (ann, bob) = (login(&gate, 0), login(&gate, 1));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| next_text(&mut bob.events()));
            for n in 0..100 {
                assert_eq!(bob.call(echo(n)).unwrap()["v"], n.into());
            }
            ann.send_chat(gate.users()[1].id, "done").unwrap();
            assert_eq!(waiting.join().unwrap(), "done");
        });
    });
}

/// Whoever makes a call also moves bytes; a flood of them must not keep it
/// from returning.
#[test]
fn calls_return_while_messages_pour_in() {
    within(Duration::from_secs(60), || {
        let gate = Gate::builder().record(false).start().unwrap();
        let client = login(&gate, 0);
        let flood = Custom::new("t_push")
            .field("n", 10_000_000)
            .field("len", 100)
            .field("mode", "oneway");
        client.call(flood).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..50 {
                        let start = Instant::now();
                        // Only that it returns counts; the gate is busy too.
                        let _ = client
                            .with_timeout(Duration::from_millis(100))
                            .call(echo(n));
                        let took = start.elapsed();
                        assert!(took < Duration::from_secs(2), "returned after {took:?}");
                    }
                });
            }
        });
        client.abort();
    });
}

/// A peer that always takes a little never makes a write fail; it must not
/// hold up time limits either.
#[test]
fn time_limits_hold_while_a_slow_peer_takes_what_is_sent() {
    within(Duration::from_secs(60), || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = vec![0; 64 * 1024];
            while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                thread::sleep(Duration::from_millis(2));
            }
        });
        let client = Client::fpnn(endpoint)
            .max_unsent(200 * MIB)
            .login()
            .unwrap();
        let body = vec![7_u8; 4 * MIB];
        thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| {
                    let quest = Custom::new("big").field("v", body.as_slice());
                    let start = Instant::now();
                    let brief = client.with_timeout(Duration::from_millis(300));
                    let error = brief.call(quest).unwrap_err();
                    let took = start.elapsed();
                    assert!(matches!(error.kind(), RequestErrorKind::TimedOut { .. }));
                    assert!(took < Duration::from_millis(1500), "ended after {took:?}");
                });
            }
        });
        client.abort();
        drop(client);
        peer.join().unwrap();
    });
}
