//! WebSocket frames, once the connection is open.

use rtm_proto::transport::{Scheme, Transport, TransportError, TransportLimits, TransportState};
use tungstenite::protocol::{Message, Role, WebSocket};

use crate::support::{Peer, client_frames, connected, frame, pump, receive, send, target};

const SCHEMES: [Scheme; 2] = [Scheme::Ws, Scheme::Wss];

#[test]
fn each_package_is_one_masked_final_binary_message() {
    for scheme in SCHEMES {
        let (mut transport, mut peer) = connected(scheme);
        let packages = [vec![1; 12], vec![2; 126], vec![3; 70_000]];
        for package in &packages {
            send(&mut transport, package);
        }
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        let frames = client_frames(&peer.plain);
        assert_eq!(frames, packages.map(|package| (0x82, package)));
    }
}

#[test]
fn text_messages_are_taken_like_binary_ones() {
    for scheme in SCHEMES {
        let (mut transport, mut peer) = connected(scheme);
        peer.write(&frame(0x81, "pa\u{e7}".as_bytes()));
        peer.write(&frame(0x82, b"kage"));
        let received = pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(received, "pa\u{e7}kage".as_bytes());
    }
}

#[test]
fn fragments_with_a_ping_between_them_are_one_message() {
    for step in [1, 2, 3, usize::MAX] {
        let (mut transport, mut peer) = connected(Scheme::Ws);
        peer.write(&frame(0x02, b"one "));
        peer.write(&frame(0x89, b"?"));
        peer.write(&frame(0x00, b"two "));
        peer.write(&frame(0x80, b"three"));
        let received = pump(&mut transport, &mut peer, step).unwrap();
        assert_eq!(received, b"one two three");
        assert_eq!(client_frames(&peer.plain), [(0x8a, b"?".to_vec())]);
    }
}

#[test]
fn a_ping_is_answered_with_its_payload_by_the_next_transmit() {
    for scheme in SCHEMES {
        let (mut transport, mut peer) = connected(scheme);
        for payload in [&b""[..], b"are you there", &[9; 125]] {
            peer.write(&frame(0x89, payload));
            assert_eq!(pump(&mut transport, &mut peer, usize::MAX), Ok(Vec::new()));
            let plain = std::mem::take(&mut peer.plain);
            assert_eq!(client_frames(&plain), [(0x8a, payload.to_vec())]);
        }
    }
}

#[test]
fn every_ping_of_a_chunk_is_answered() {
    let (mut transport, mut peer) = connected(Scheme::Ws);
    for i in 0..100 {
        peer.write(&frame(0x89, &[i]));
    }
    pump(&mut transport, &mut peer, usize::MAX).unwrap();
    let pongs: Vec<_> = (0..100).map(|i| (0x8a, vec![i])).collect();
    assert_eq!(client_frames(&peer.plain), pongs);
}

#[test]
fn pings_of_a_peer_that_does_not_read_pile_nothing_up() {
    let (mut transport, mut peer) = connected(Scheme::Ws);
    for n in 0..100_000_u32 {
        let mut payload = n.to_be_bytes().to_vec();
        payload.resize(125, 0);
        receive(&mut transport, &frame(0x89, &payload)).unwrap();
        assert!(transport.unsent() < 66_000, "after {n} pings");
    }
    pump(&mut transport, &mut peer, usize::MAX).unwrap();
    let pongs = client_frames(&peer.plain);
    let (kind, last) = pongs.last().unwrap();
    assert_eq!((*kind, &last[..4]), (0x8a, &99_999_u32.to_be_bytes()[..]));
}

#[test]
fn a_pong_nobody_asked_for_is_ignored() {
    let (mut transport, mut peer) = connected(Scheme::Ws);
    peer.write(&frame(0x8a, b"hello"));
    assert_eq!(pump(&mut transport, &mut peer, usize::MAX), Ok(Vec::new()));
    assert!(peer.plain.is_empty());
}

#[test]
fn a_package_of_126_bytes_without_a_length_is_read_through() {
    for scheme in SCHEMES {
        for step in [1, 2, 3, 5, usize::MAX] {
            let (mut transport, mut peer) = connected(scheme);
            let mut package = b"FPNN".to_vec();
            package.resize(126, 7);
            peer.write(b"\x82\x7e");
            peer.write(&package);
            peer.write(&frame(0x82, b"next"));
            let received = pump(&mut transport, &mut peer, step).unwrap();
            assert_eq!(received, [&package[..], b"next"].concat());
        }
    }
}

#[test]
fn the_defect_is_read_through_also_behind_the_head_in_one_chunk() {
    let mut package = b"FPNN".to_vec();
    package.resize(126, 7);
    let expected = package.clone();
    let mut peer = Peer::new(Scheme::Ws).responding(move |request| {
        let head = crate::support::accept(request);
        [head.as_bytes(), b"\x82\x7e", &package].concat()
    });
    let mut transport = crate::support::transport(Scheme::Ws);
    assert_eq!(
        pump(&mut transport, &mut peer, usize::MAX).unwrap(),
        expected
    );
}

fn limited() -> Transport {
    let limits = TransportLimits::default().with_max_package(1000);
    let mut transport = Transport::new(&target(Scheme::Ws), None, limits).unwrap();
    pump(&mut transport, &mut Peer::new(Scheme::Ws), usize::MAX).unwrap();
    transport
}

#[test]
fn a_message_above_the_limit_is_refused_at_its_header() {
    for announced in [1001_u64, 1 << 40, u64::MAX >> 1] {
        let mut header = vec![0x82, 127];
        header.extend(announced.to_be_bytes());
        let error = receive(&mut limited(), &header).unwrap_err();
        let TransportError::TooLarge { what, limit, .. } = error else {
            panic!("{error}")
        };
        assert_eq!((what, limit), ("message", 1000));
    }
    assert_eq!(
        receive(&mut limited(), &frame(0x82, &[1; 1000]))
            .unwrap()
            .len(),
        1000
    );
}

#[test]
fn fragments_above_the_limit_are_refused_together() {
    let mut transport = limited();
    assert_eq!(
        receive(&mut transport, &frame(0x02, &[1; 600])),
        Ok(Vec::new())
    );
    let error = receive(&mut transport, &frame(0x80, &[1; 600])).unwrap_err();
    assert!(
        matches!(error, TransportError::TooLarge { limit: 1000, .. }),
        "{error}"
    );
}

#[test]
fn broken_frames_end_the_transport_with_the_rule_they_break() {
    let masked = b"\x82\x81\0\0\0\0x".to_vec();
    let broken: [(&str, Vec<u8>); 8] = [
        ("masked", masked),
        ("reserved bits", frame(0xc2, b"x")),
        ("data opcode", frame(0x83, b"x")),
        ("control opcode", frame(0x8b, b"x")),
        ("fragmented control frame", frame(0x09, b"x")),
        ("long control frame", frame(0x89, &[1; 126])),
        ("continuation of nothing", frame(0x80, b"x")),
        ("text that is no text", frame(0x81, b"\xff\xfe")),
    ];
    for (what, bytes) in broken {
        let (mut transport, _peer) = connected(Scheme::Ws);
        let error = receive(&mut transport, &bytes).unwrap_err();
        assert!(
            matches!(error, TransportError::WebSocket { .. }),
            "{what}: {error}"
        );
        assert_eq!(transport.state(), TransportState::Closed);
        assert!(!transport.wants_transmit());
    }
}

#[test]
fn random_bytes_behind_the_head_never_panic() {
    let mut seed = 1_u64;
    for _ in 0..300 {
        let (mut transport, _peer) = connected(Scheme::Ws);
        for _ in 0..20 {
            let chunk: Vec<u8> = (0..50)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 33) as u8 & [0xff, 0x8f][(seed >> 60) as usize & 1]
                })
                .collect();
            if receive(&mut transport, &chunk).is_err() {
                assert_eq!(transport.state(), TransportState::Closed);
                break;
            }
        }
    }
}

#[test]
fn tungstenites_server_accepts_the_handshake_and_echoes() {
    let mut transport = crate::support::transport(Scheme::Ws);
    let mut server = Memory::default();
    server.input.extend(transport.transmit().unwrap());
    let Ok(mut socket) = tungstenite::accept(server) else {
        panic!("not accepted")
    };
    let response = std::mem::take(&mut socket.get_mut().output);
    receive(&mut transport, &response).unwrap();
    for len in [1, 126, 5000, 100_000] {
        let package = vec![len as u8; len];
        send(&mut transport, &package);
        while let Some(piece) = transport.transmit() {
            socket.get_mut().input.extend(piece);
        }
        let echoed = socket.read().unwrap();
        assert_eq!(echoed, Message::binary(package.clone()));
        socket.send(echoed).unwrap();
        let answer = std::mem::take(&mut socket.get_mut().output);
        assert_eq!(receive(&mut transport, &answer).unwrap(), package);
    }
}

#[test]
fn buffers_of_large_messages_are_given_back_between_messages_only() {
    let (mut transport, mut peer) = connected(Scheme::Ws);
    let mut server = WebSocket::from_raw_socket(Memory::default(), Role::Server, None);
    // Chunks end in all places of a frame, and small messages follow the large one.
    for (len, step) in [
        (9000, 7),
        (20_000, 999),
        (9000, 4096),
        (300_000, 65_536),
        (300_000, 1009),
    ] {
        let large = vec![7; len];
        send(&mut transport, &large);
        for message in [&large[..], b"a", b"bc", b"d"] {
            peer.write(&frame(0x82, message));
        }
        let received = pump(&mut transport, &mut peer, step).unwrap();
        assert!(received == [&large[..], b"abcd"].concat());
        let sent = std::mem::take(&mut peer.plain);
        server.get_mut().input.extend(sent);
        assert!(server.read().unwrap() == Message::binary(large));
    }
}

/// A socket in memory.
#[derive(Debug, Default)]
struct Memory {
    input: std::collections::VecDeque<u8>,
    output: Vec<u8>,
}

impl std::io::Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.input.read(buffer) {
            Ok(0) => Err(std::io::ErrorKind::WouldBlock.into()),
            read => read,
        }
    }
}

impl std::io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
