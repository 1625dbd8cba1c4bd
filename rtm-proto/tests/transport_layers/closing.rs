//! Closing from either side, and streams that are cut.

use rtm_proto::transport::{Scheme, TransportError, TransportState};

use crate::support::{
    ALL, Peer, client_frames, connected, frame, packages, pump, receive, send, transport,
};

const WEBSOCKET: [Scheme; 2] = [Scheme::Ws, Scheme::Wss];

#[test]
fn what_was_queued_goes_out_before_the_close_and_nothing_after_it() {
    for scheme in ALL {
        let (mut transport, mut peer) = connected(scheme);
        send(&mut transport, &[5; 200_000]);
        transport.close();
        transport.close();
        assert_eq!(transport.state(), TransportState::Closing);
        assert_eq!(
            transport.send(1, |_| unreachable!()),
            Err(TransportError::Closed)
        );
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        if scheme.is_websocket() {
            let frames = client_frames(&peer.plain);
            assert_eq!(frames, [(0x82, vec![5; 200_000]), (0x88, vec![0x03, 0xe8])]);
        } else {
            assert_eq!(peer.plain, vec![5; 200_000], "{scheme}");
        }
        assert_eq!(peer.got_close_notify, scheme == Scheme::Tls);
    }
}

#[test]
fn streams_are_closed_once_everything_is_handed_out() {
    for scheme in [Scheme::Tcp, Scheme::Tls] {
        let (mut transport, mut peer) = connected(scheme);
        send(&mut transport, b"last");
        transport.close();
        assert_eq!(transport.state(), TransportState::Closing);
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(transport.state(), TransportState::Closed);
        assert_eq!(transport.receive_end(), Ok(()));
    }
}

#[test]
fn a_websocket_still_receives_until_the_peer_replies_to_its_close() {
    for scheme in WEBSOCKET {
        let (mut transport, mut peer) = connected(scheme);
        transport.close();
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(transport.state(), TransportState::Closing);
        peer.write(&frame(0x82, b"answer of bye"));
        let received = pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(received, b"answer of bye");
        peer.write(&frame(0x88, &[0x03, 0xe8]));
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(transport.state(), TransportState::Closed, "{scheme}");
        assert_eq!(peer.got_close_notify, scheme == Scheme::Wss);
    }
}

#[test]
fn a_close_of_the_peer_is_answered_and_what_follows_is_ignored() {
    for scheme in WEBSOCKET {
        let (mut transport, mut peer) = connected(scheme);
        peer.write(&frame(0x82, b"last"));
        peer.write(&frame(0x88, &[0x03, 0xe9]));
        peer.write(&frame(0x82, b"too late"));
        peer.write(&frame(0x88, b""));
        let received = pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(received, b"last");
        assert_eq!(client_frames(&peer.plain), [(0x88, vec![0x03, 0xe9])]);
        assert_eq!(transport.state(), TransportState::Closed, "{scheme}");
        assert_eq!(peer.got_close_notify, scheme == Scheme::Wss);
        assert_eq!(
            transport.send(1, |_| unreachable!()),
            Err(TransportError::Closed)
        );
        assert_eq!(transport.receive_end(), Ok(()));
    }
}

#[test]
fn the_reply_to_a_close_waits_behind_what_is_queued() {
    let (mut transport, mut peer) = connected(Scheme::Ws);
    send(&mut transport, b"package");
    receive(&mut transport, &frame(0x88, b"")).unwrap();
    assert_eq!(transport.state(), TransportState::Closing);
    pump(&mut transport, &mut peer, usize::MAX).unwrap();
    let frames = client_frames(&peer.plain);
    assert_eq!(frames, [(0x82, b"package".to_vec()), (0x88, Vec::new())]);
    assert_eq!(transport.state(), TransportState::Closed);
}

#[test]
fn a_close_during_the_handshake_lets_it_finish_and_sends_what_was_queued() {
    for scheme in [Scheme::Tls, Scheme::Ws, Scheme::Wss] {
        let (mut transport, mut peer) = (transport(scheme), Peer::new(scheme));
        send(&mut transport, b"bye");
        transport.close();
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        let sent = if scheme.is_websocket() {
            let frames = client_frames(&peer.plain);
            assert_eq!(frames[1].0, 0x88);
            frames[0].1.clone()
        } else {
            packages(scheme, &mut peer)
        };
        assert_eq!(sent, b"bye", "{scheme}");
    }
}

#[test]
fn an_end_after_our_close_is_clean_also_without_a_reply() {
    for scheme in ALL {
        let (mut transport, mut peer) = connected(scheme);
        transport.close();
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(transport.receive_end(), Ok(()), "{scheme}");
        assert_eq!(transport.state(), TransportState::Closed);
        assert!(!transport.wants_transmit());
    }
}

#[test]
fn an_end_nobody_announced_is_a_cut_where_the_scheme_can_tell() {
    for scheme in ALL {
        let (mut transport, _peer) = connected(scheme);
        let end = transport.receive_end();
        match scheme {
            Scheme::Tcp => assert_eq!(end, Ok(())),
            _ => assert!(
                matches!(end, Err(TransportError::Truncated { .. })),
                "{scheme}"
            ),
        }
        assert_eq!(transport.state(), TransportState::Closed);
    }
}

#[test]
fn an_end_in_the_middle_of_a_frame_is_a_cut() {
    let (mut transport, _peer) = connected(Scheme::Ws);
    receive(&mut transport, b"\x82\x05abc").unwrap();
    assert!(matches!(
        transport.receive_end(),
        Err(TransportError::Truncated { .. })
    ));
}

#[test]
fn a_closed_transport_takes_no_more_bytes() {
    let mut transport = transport(Scheme::Tcp);
    transport.receive_end().unwrap();
    assert_eq!(receive(&mut transport, b"late"), Ok(Vec::new()));
    assert_eq!(transport.transmit(), None);
    transport.close();
    assert_eq!(transport.state(), TransportState::Closed);
}
