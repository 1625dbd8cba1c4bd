//! What was queued, what has left, and in which pieces.

use rtm_proto::transport::{Scheme, TRANSMIT_MAX, Transport};

use crate::support::{ALL, Peer, connected, frame, packages, pump, receive, send, transport};

/// The counter before each of several packages, and after the last.
fn queue(transport: &mut Transport, packages: &[usize]) -> (Vec<u64>, u64) {
    let mut before = Vec::new();
    for &len in packages {
        before.push(transport.queued());
        send(transport, &vec![7; len]);
    }
    (before, transport.queued())
}

#[test]
fn a_package_has_left_in_part_exactly_when_its_counter_is_passed() {
    for scheme in ALL {
        let (mut transport, mut peer) = connected(scheme);
        let lens = [10, 70_000, 200, 130_000, 5];
        let (before, end) = queue(&mut transport, &lens);
        assert_eq!(transport.handed_out(), before[0], "{scheme}");
        while let Some(piece) = transport.transmit() {
            peer.receive(&piece);
            // Framing overhead included, the peer has what the counters say.
            let arrived = peer.plain.len() as u64;
            assert_eq!(transport.handed_out() - before[0], arrived, "{scheme}");
            assert_eq!(transport.unsent() as u64, end - transport.handed_out());
        }
        assert_eq!(transport.handed_out(), end);
        assert_eq!(
            packages(scheme, &mut peer).len(),
            lens.iter().sum::<usize>()
        );
    }
}

#[test]
fn packages_that_wait_for_the_handshake_have_not_left() {
    for scheme in [Scheme::Tls, Scheme::Ws, Scheme::Wss] {
        let mut transport = transport(scheme);
        let (before, end) = queue(&mut transport, &[100, 100]);
        let mut hello = Vec::new();
        while let Some(piece) = transport.transmit() {
            hello.push(piece);
        }
        assert!(!hello.is_empty());
        assert!(transport.handed_out() <= before[0], "{scheme}");
        assert!(transport.unsent() >= 200);
        let mut peer = Peer::new(scheme);
        hello.iter().for_each(|piece| peer.receive(piece));
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(transport.handed_out(), end, "{scheme}");
        assert_eq!(transport.unsent(), 0);
    }
}

#[test]
fn no_piece_exceeds_64_kib_and_large_queues_fill_them() {
    for scheme in ALL {
        let (mut transport, _peer) = connected(scheme);
        send(&mut transport, &vec![1; 3_000_000]);
        let mut sizes = Vec::new();
        while let Some(piece) = transport.transmit() {
            sizes.push(piece.len());
        }
        assert!(sizes.iter().all(|&size| size <= TRANSMIT_MAX));
        assert!(sizes.len() <= 64, "{scheme}: {} pieces", sizes.len());
    }
}

#[test]
fn pongs_count_as_unsent() {
    let (mut transport, _peer) = connected(Scheme::Ws);
    for _ in 0..100 {
        receive(&mut transport, &frame(0x89, &[0; 125])).unwrap();
    }
    assert_eq!(transport.unsent(), 100 * (2 + 4 + 125));
}

#[test]
fn packages_behind_a_failure_never_count_as_handed_out() {
    for scheme in [Scheme::Ws, Scheme::Wss] {
        let (mut transport, mut peer) = connected(scheme);
        let (before, _) = queue(&mut transport, &[100]);
        peer.write(&frame(0x83, b"reserved opcode"));
        assert!(receive(&mut transport, &peer.take_raw()).is_err());
        while transport.transmit().is_some() {}
        assert_eq!(transport.handed_out(), before[0], "{scheme}");
    }
}
