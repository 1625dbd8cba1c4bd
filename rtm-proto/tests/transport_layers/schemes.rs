//! What holds for every scheme.

use rtm_proto::transport::{Scheme, Transport, TransportError, TransportLimits, TransportState};

use crate::support::{
    ALL, Peer, connected, from_peer, identity, packages, pump, send, target, transport,
};

fn package(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 % 251) as u8).collect()
}

#[test]
fn packages_of_any_size_arrive_whole_in_both_directions() {
    for scheme in ALL {
        for len in [1, 125, 126, 127, 4096, 65_535, 65_536, 300_000] {
            let (mut transport, mut peer) = connected(scheme);
            let package = package(len);
            send(&mut transport, &package);
            peer.write(&from_peer(scheme, &package));
            let received = pump(&mut transport, &mut peer, usize::MAX).unwrap();
            assert!(received == package, "{scheme} {len} in");
            assert!(packages(scheme, &mut peer) == package, "{scheme} {len} out");
        }
    }
}

#[test]
fn one_byte_at_a_time_works_through_both_handshakes() {
    for scheme in ALL {
        let (mut transport, mut peer) = (transport(scheme), Peer::new(scheme));
        send(&mut transport, b"early");
        assert_eq!(pump(&mut transport, &mut peer, 1), Ok(Vec::new()));
        assert_eq!(transport.state(), TransportState::Ready);
        peer.write(&from_peer(scheme, b"answer"));
        assert_eq!(pump(&mut transport, &mut peer, 1).unwrap(), b"answer");
        assert_eq!(packages(scheme, &mut peer), b"early", "{scheme}");
    }
}

#[test]
fn packages_sent_during_the_handshake_follow_it_in_order() {
    for scheme in ALL {
        let (mut transport, mut peer) = (transport(scheme), Peer::new(scheme));
        let opening = scheme != Scheme::Tcp;
        let expected = if opening {
            TransportState::Opening
        } else {
            TransportState::Ready
        };
        assert_eq!(transport.state(), expected);
        for package in [&b"one"[..], b"two", b"three"] {
            send(&mut transport, package);
        }
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(transport.state(), TransportState::Ready);
        assert_eq!(packages(scheme, &mut peer), b"onetwothree", "{scheme}");
    }
}

#[test]
fn a_handshake_and_the_first_push_may_come_in_one_chunk() {
    let mut peer = Peer::new(Scheme::Ws).responding(|request| {
        let mut glued = crate::support::accept(request).into_bytes();
        glued.extend(from_peer(Scheme::Ws, b"push"));
        glued
    });
    let mut transport = transport(Scheme::Ws);
    assert_eq!(
        pump(&mut transport, &mut peer, usize::MAX).unwrap(),
        b"push"
    );
    assert_eq!(transport.state(), TransportState::Ready);
}

#[test]
fn a_package_above_the_limit_is_refused_and_the_transport_goes_on() {
    for scheme in ALL {
        let limits = TransportLimits::default().with_max_package(100);
        let options = identity().options();
        let mut transport = Transport::new(&target(scheme), Some(&options), limits).unwrap();
        let refused = transport.send(101, |_| unreachable!());
        assert!(matches!(
            refused,
            Err(TransportError::TooLarge {
                size: 101,
                limit: 100,
                ..
            })
        ));
        let mut peer = Peer::new(scheme);
        send(&mut transport, &[1; 100]);
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(packages(scheme, &mut peer).len(), 100);
    }
}

#[test]
fn an_encoder_that_breaks_its_word_queues_nothing() {
    for scheme in ALL {
        let (mut transport, mut peer) = connected(scheme);
        let queued = transport.queued();
        let wrong = transport.send(5, |buffer| buffer.extend_from_slice(b"four"));
        assert_eq!(
            wrong,
            Err(TransportError::LengthMismatch {
                expected: 5,
                written: 4
            })
        );
        assert_eq!(transport.queued(), queued);
        send(&mut transport, b"right");
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(packages(scheme, &mut peer), b"right", "{scheme}");
    }
}

#[test]
fn an_encoder_that_erases_other_packages_ends_the_transport() {
    let mut transport = transport(Scheme::Tcp);
    send(&mut transport, b"first");
    assert!(transport.send(5, bytes::BytesMut::clear).is_err());
    assert_eq!(transport.state(), TransportState::Closed);
    assert_eq!(transport.send(1, |_| ()), Err(TransportError::Closed));
}

#[test]
fn transports_and_options_may_go_to_other_threads() {
    fn may_move<T: Send + 'static>() {}
    fn may_be_shared<T: Send + Sync + Clone + 'static>() {}
    may_move::<Transport>();
    may_be_shared::<rtm_proto::transport::TlsOptions>();
    may_be_shared::<TransportError>();
}

#[test]
fn an_empty_chunk_means_nothing() {
    for scheme in ALL {
        let (mut transport, _peer) = connected(scheme);
        assert_eq!(crate::support::receive(&mut transport, b""), Ok(Vec::new()));
        assert_eq!(transport.state(), TransportState::Ready);
    }
}

#[test]
fn the_byte_stream_hands_on_the_chunk_itself() {
    let mut transport = transport(Scheme::Tcp);
    let chunk = bytes::Bytes::from(vec![7; 1000]);
    let mut received = std::collections::VecDeque::new();
    transport.receive(chunk.clone(), &mut received).unwrap();
    assert_eq!(received[0].as_ptr(), chunk.as_ptr());
}

#[test]
fn a_target_with_tls_needs_options() {
    for scheme in [Scheme::Tls, Scheme::Wss] {
        let made = Transport::new(&target(scheme), None, TransportLimits::default());
        assert_eq!(made.err(), Some(TransportError::TlsUnavailable { scheme }));
    }
}

#[test]
fn garbage_ends_a_handshake_with_an_error_that_stays() {
    for scheme in [Scheme::Tls, Scheme::Ws, Scheme::Wss] {
        let mut transport = transport(scheme);
        let garbage: Vec<u8> = (0..3000).map(|i| (i * 31 % 256) as u8 | 0x80).collect();
        let error = crate::support::receive(&mut transport, &garbage).unwrap_err();
        assert_eq!(transport.state(), TransportState::Closed, "{scheme}");
        assert_eq!(
            crate::support::receive(&mut transport, b"more"),
            Err(error.clone())
        );
        assert_eq!(transport.receive_end(), Err(error));
    }
}
