//! The HTTP exchange in front of a WebSocket.

use rtm_proto::transport::{
    Scheme, Target, Transport, TransportError, TransportLimits, TransportState,
};

use crate::support::{Peer, accept, accept_key, connected, pump, receive, transport};

fn outcome(respond: impl FnOnce(&str) -> String + 'static) -> Result<Vec<u8>, TransportError> {
    let mut peer = Peer::new(Scheme::Ws).responding(|request| respond(request).into_bytes());
    pump(&mut transport(Scheme::Ws), &mut peer, usize::MAX)
}

fn refusal(respond: impl FnOnce(&str) -> String + 'static) -> (Option<u16>, String) {
    match outcome(respond) {
        Err(TransportError::HandshakeRefused { status, why }) => (status, why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_request_is_the_one_the_server_wants() {
    let (_transport, peer) = connected(Scheme::Ws);
    let mut lines: Vec<_> = peer.request.lines().collect();
    assert!(lines[5].starts_with("Sec-WebSocket-Key: "));
    lines.remove(5);
    assert_eq!(
        lines,
        [
            "GET /service/websocket HTTP/1.1",
            "Host: rtm.example:13321",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "",
        ]
    );
}

#[test]
fn the_host_header_puts_brackets_around_ipv6() {
    for (host, header) in [
        ("::1", "Host: [::1]:80"),
        ("[::1]", "Host: [::1]:80"),
        ("10.0.0.1", "Host: 10.0.0.1:80"),
    ] {
        let target = Target::new(Scheme::Ws, host, 80);
        let mut transport = Transport::new(&target, None, TransportLimits::default()).unwrap();
        let request = String::from_utf8(transport.transmit().unwrap().to_vec()).unwrap();
        assert_eq!(request.lines().nth(1), Some(header));
    }
}

#[test]
fn each_connection_has_a_key_of_its_own() {
    let key = || {
        connected(Scheme::Ws)
            .1
            .request
            .lines()
            .nth(5)
            .map(String::from)
    };
    assert_ne!(key(), key());
}

#[test]
fn a_status_other_than_101_is_named() {
    for (status, reason) in [
        (200, "OK"),
        (404, "Not Found"),
        (500, "Internal Server Error"),
    ] {
        let head = format!("HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(refusal(move |_| head), (Some(status), reason.into()));
    }
}

#[test]
fn each_header_that_must_be_there_is_missed() {
    for name in ["Upgrade", "Connection", "Sec-WebSocket-Accept"] {
        let (status, why) = refusal(move |request| {
            let without = |line: &&str| !line.starts_with(&format!("{name}: "));
            accept(request)
                .split_inclusive("\r\n")
                .filter(without)
                .collect()
        });
        assert_eq!(status, Some(101));
        assert!(why.contains(name), "{why}");
    }
}

#[test]
fn an_accept_for_another_key_is_refused() {
    let (status, why) =
        refusal(|request| accept(request).replace(&accept_key(request), "c2VjcmV0"));
    assert_eq!(status, Some(101));
    assert!(why.contains("does not match"), "{why}");
}

#[test]
fn extensions_and_subprotocols_nobody_offered_are_refused() {
    for header in [
        "Sec-WebSocket-Extensions: permessage-deflate",
        "Sec-WebSocket-Protocol: chat",
    ] {
        let (status, _why) = refusal(move |request| {
            accept(request).replace("\r\n\r\n", &format!("\r\n{header}\r\n\r\n"))
        });
        assert_eq!(status, Some(101));
    }
}

#[test]
fn tokens_are_found_in_lists_and_in_any_case() {
    for connection in ["keep-alive, Upgrade", "upgrade", "close,  UPGRADE"] {
        let lenient = outcome(move |request| {
            accept(request)
                .replace("Connection: Upgrade", &format!("connection: {connection}"))
                .replace("Upgrade: websocket", "UPGRADE: WebSocket")
        });
        assert_eq!(lenient, Ok(Vec::new()));
    }
}

#[test]
fn a_head_that_never_ends_is_cut_at_the_limit() {
    for step in [1, 1000, usize::MAX] {
        let mut peer = Peer::new(Scheme::Ws).responding(|_| {
            let mut endless = b"HTTP/1.1 101 Switching Protocols\r\nX: ".to_vec();
            endless.resize(100_000, b'x');
            endless
        });
        let error = pump(&mut transport(Scheme::Ws), &mut peer, step).unwrap_err();
        let TransportError::TooLarge { what, limit, .. } = error else {
            panic!("{error}")
        };
        assert_eq!((what, limit), ("response head", 16 * 1024));
    }
}

#[test]
fn a_head_of_exactly_the_limit_is_taken() {
    for (extra, taken) in [(0, true), (1, false)] {
        let padded = outcome(move |request| {
            let head = accept(request);
            let pad = 16 * 1024 + extra - head.len() - "\r\nX: ".len();
            head.replace("\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "x".repeat(pad)))
        });
        assert_eq!(padded.is_ok(), taken);
    }
}

#[test]
fn a_peer_that_does_not_speak_http_is_noticed_at_once() {
    let mut transport = transport(Scheme::Ws);
    let error = receive(&mut transport, b"FPNN").unwrap_err();
    assert!(
        matches!(error, TransportError::HandshakeRefused { status: None, .. }),
        "{error}"
    );
}

#[test]
fn a_malformed_head_is_refused() {
    for head in [
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.0 101 Old\r\n\r\n",
        "HTTP/1.1 101 X\r\nno colon\r\n\r\n",
    ] {
        let (status, _why) = refusal(move |_| head.into());
        assert_eq!(status, None);
    }
}

#[test]
fn an_end_before_the_response_is_complete_is_a_refusal() {
    let mut transport = transport(Scheme::Ws);
    receive(&mut transport, b"HTTP/1.1 101 Swit").unwrap();
    let error = transport.receive_end().unwrap_err();
    assert!(
        matches!(error, TransportError::HandshakeRefused { status: None, .. }),
        "{error}"
    );
    assert_eq!(transport.state(), TransportState::Closed);
}
