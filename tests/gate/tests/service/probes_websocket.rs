//! Odd and broken input over WebSocket, as it was tried on the public C++ server: the records of kind
//! `probe-websocket` in `tests/vectors/tcp-frames.json`, one test each, named after the record.

use crate::peer::{LIMIT, Package, Peer, Via, field, frame, map, msgpack, quest};
use rtm_gate::{Ended, Gate};
use std::time::Duration;

const BINARY: u8 = 0x82;

/// The quest of most probes: `t_echo {v: "x"}` with number 1, 27 bytes.
fn echo() -> Vec<u8> {
    quest(
        0x80,
        Some(1),
        "t_echo",
        &msgpack(&map(&[("v", "x".into())])),
    )
}

fn start() -> (Gate, Peer) {
    let gate = Gate::start().unwrap();
    let peer = Peer::connect(&gate, Via::Ws);
    (gate, peer)
}

fn answer(peer: &mut Peer) -> Package {
    peer.read_package().expect("an answer")
}

/// The frames are followed by the end of the connection.
fn assert_closes(frames: &[u8]) {
    let (_gate, mut peer) = start();
    peer.send(frames);
    peer.assert_closed();
}

/// The frames bring the answer of [`echo`].
fn assert_echoes(frames: &[u8]) {
    let (_gate, mut peer) = start();
    peer.send(frames);
    let answer = answer(&mut peer);
    assert_eq!((answer.seq, answer.ss, answer.flag), (Some(1), 0, 0x80));
    assert_eq!(answer.payload, map(&[("v", "x".into())]));
}

#[test]
fn probe_044_binary_frame_with_one_quest() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let response = peer.upgrade("/service/websocket", "Upgrade", 13);
    let lines = response.lines().collect::<Vec<_>>();
    assert_eq!(
        lines,
        [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "",
        ]
    );
    peer.send_package(&echo());
    assert_eq!(peer.read_frame().unwrap().1.len(), 21);
}

#[test]
fn probe_046_json_quest_in_a_binary_frame() {
    let (_gate, mut peer) = start();
    peer.send_package(&quest(0x40, Some(1), "t_echo", br#"{"v":"j"}"#));
    let answer = answer(&mut peer);
    assert_eq!(
        (answer.flag, answer.payload),
        (0x40, map(&[("v", "j".into())]))
    );
}

#[test]
fn probe_047_json_quest_in_a_text_frame() {
    let (_gate, mut peer) = start();
    peer.send(&frame(
        0x81,
        &quest(0x40, Some(1), "t_echo", br#"{"v":"j"}"#),
    ));
    let answer = answer(&mut peer);
    assert_eq!(
        (answer.flag, answer.payload),
        (0x40, map(&[("v", "j".into())]))
    );
}

/// Beyond the records: a text frame need not be text.
#[test]
fn msgpack_quest_in_a_text_frame() {
    let payload = msgpack(&map(&[("v", rmpv::Value::Binary(vec![0xff; 3]))]));
    let (_gate, mut peer) = start();
    peer.send(&frame(0x81, &quest(0x80, Some(1), "t_echo", &payload)));
    let answer = answer(&mut peer);
    assert_eq!(field(&answer.payload, "v").as_slice(), Some(&[0xff; 3][..]));
}

#[test]
fn probe_049_two_quests_in_one_message() {
    assert_closes(&frame(BINARY, &[echo(), echo()].concat()));
}

#[test]
fn probe_050_one_quest_over_two_messages() {
    let (head, tail) = (&echo()[..10], &echo()[10..]);
    assert_closes(&[frame(BINARY, head), frame(BINARY, tail)].concat());
}

#[test]
fn probe_051_one_quest_as_three_fragments() {
    let quest = echo();
    let frames = [
        frame(0x02, &quest[..5]),
        frame(0x00, &quest[5..20]),
        frame(0x80, &quest[20..]),
    ];
    assert_echoes(&frames.concat());
}

#[test]
fn probe_052_ping_between_fragments() {
    let quest = echo();
    let frames = [
        frame(0x02, &quest[..5]),
        frame(0x89, b"ping"),
        frame(0x80, &quest[5..]),
    ];
    let (_gate, mut peer) = start();
    peer.send(&frames.concat());
    assert_eq!(peer.read_frame(), Some((0x8a, Vec::new())));
    assert_eq!(answer(&mut peer).code(), 0);
}

#[test]
fn probe_053_ping_without_payload() {
    let (_gate, mut peer) = start();
    peer.send(&frame(0x89, b""));
    assert_eq!(peer.read_frame(), Some((0x8a, Vec::new())));
}

#[test]
fn probe_056_close_frame_1000() {
    assert_closes(&frame(0x88, &1000_u16.to_be_bytes()));
}

#[test]
fn probe_059_unmasked_frame() {
    let quest = echo();
    assert_closes(&[&[BINARY, quest.len() as u8][..], &quest].concat());
}

#[test]
fn probe_060_opcode_3() {
    assert_closes(&frame(0x83, &echo()));
}

#[test]
fn probe_061_continuation_without_a_start() {
    assert_echoes(&frame(0x80, &echo()));
}

#[test]
fn probe_062_empty_message() {
    assert_closes(&frame(BINARY, b""));
}

#[test]
fn probe_063_message_of_11_bytes() {
    assert_closes(&frame(BINARY, &echo()[..11]));
}

#[test]
fn probe_064_bad_magic() {
    let mut quest = echo();
    quest[0] = b'X';
    assert_closes(&frame(BINARY, &quest));
}

#[test]
fn probe_065_message_type_3() {
    let mut quest = echo();
    quest[6] = 3;
    assert_closes(&frame(BINARY, &quest));
}

#[test]
fn probe_066_extra_byte_after_the_package() {
    assert_closes(&frame(BINARY, &[echo(), vec![0]].concat()));
}

#[test]
fn probe_067_payload_size_0() {
    assert_closes(&frame(BINARY, &quest(0x80, Some(1), "t_echo", b"")));
}

/// An answer whose package has this length comes back in a frame that says so.
fn assert_answer_of(len: usize) {
    // 12 header, 4 number, 1 map, 2 key, and the head of the string, which grows with it.
    let text = (0..=len).rev().map(|n| "b".repeat(n)).find(|text| {
        let payload = map(&[("v", text.as_str().into())]);
        16 + msgpack(&payload).len() <= len
    });
    let payload = map(&[("v", text.unwrap().into())]);
    assert_eq!(16 + msgpack(&payload).len(), len);
    let (_gate, mut peer) = start();
    peer.send_quest("t_echo", &payload);
    let (first, package) = peer.read_frame().unwrap();
    assert_eq!((first, package.len()), (BINARY, len));
    assert!(package.ends_with(&msgpack(&payload)));
}

#[test]
fn probe_068_answer_of_121_bytes() {
    assert_answer_of(121);
}

#[test]
fn probe_069_answer_of_125_bytes() {
    assert_answer_of(125);
}

/// The C++ server forgets the length here; this one does so on command only.
#[test]
fn probe_070_answer_of_126_bytes() {
    assert_answer_of(126);
}

#[test]
fn probe_070_answer_of_126_bytes_with_the_defect() {
    let payload = map(&[("v", "b".repeat(105).into())]);
    assert_eq!(16 + msgpack(&payload).len(), 126);
    let (gate, mut peer) = start();
    gate.faults().defect_126(true);
    peer.send_quest("t_echo", &payload);
    let bytes = peer.read(2 + 126).unwrap();
    assert_eq!(bytes[..6], [0x82, 0x7e, b'F', b'P', b'N', b'N']);
    assert!(bytes.ends_with(&msgpack(&payload)));
}

#[test]
fn probe_072_answer_of_128_bytes() {
    assert_answer_of(128);
}

#[test]
fn probe_073_answer_of_129_bytes() {
    assert_answer_of(129);
}

/// The text of this many bytes comes back.
fn assert_echoes_text_of(len: usize) {
    let (_gate, mut peer) = start();
    let payload = map(&[("v", "q".repeat(len).into())]);
    assert_eq!(peer.call("t_echo", &payload).payload, payload);
}

#[test]
fn probe_074_answer_of_70000_bytes() {
    assert_echoes_text_of(70_000);
}

#[test]
fn probe_075_answer_of_3_mb() {
    assert_echoes_text_of(3_000_000);
}

#[test]
fn probe_076_request_of_200000_bytes() {
    assert_echoes_text_of(200_000);
}

#[test]
fn probe_078_other_paths_are_closed() {
    let gate = Gate::start().unwrap();
    for path in ["/", "/other", "/xservice/websocket"] {
        let mut peer = Peer::connect(&gate, Via::Tcp);
        assert_eq!(peer.upgrade(path, "Upgrade", 13), "", "{path}");
    }
}

#[test]
fn probe_081_connection_keep_alive_and_upgrade() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let response = peer.upgrade("/service/websocket?x=1", "keep-alive, Upgrade", 13);
    assert!(response.starts_with("HTTP/1.1 101 "), "{response}");
    peer.send_package(&echo());
    assert_eq!(answer(&mut peer).code(), 0);
}

#[test]
fn probe_084_version_8() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let response = peer.upgrade("/service/websocket", "Upgrade", 8);
    assert!(
        response.starts_with("HTTP/1.1 500 Internal Server Error"),
        "{response}"
    );
    assert!(
        String::from_utf8(peer.read_to_end())
            .unwrap()
            .contains("20004")
    );
}

#[test]
fn probe_085_idle_websocket() {
    let limit = Duration::from_millis(300);
    let gate = Gate::builder().idle_timeout(limit).start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Ws);
    peer.assert_closed();
    assert!(gate.wait_for(|seen| seen.connections[0].ended == Some(Ended::Idle), LIMIT));
}

#[test]
fn probe_087_pushes() {
    let (_gate, mut peer) = start();
    let asked = map(&[("n", 3.into())]);
    let seq = peer.send_quest("t_push", &asked);
    let answer = answer(&mut peer);
    assert_eq!((answer.seq, answer.payload), (Some(seq), asked));
    for mid in 1..=3 {
        let push = peer.push();
        assert_eq!((push.mtype, push.method.as_str()), (1, "pushmsg"));
        let expected = map(&[
            ("from", 778_877.into()),
            ("mtype", 30.into()),
            ("mid", mid.into()),
            ("msg", "ppppp".into()),
            ("attrs", "".into()),
            ("mtime", field(&push.payload, "mtime")),
        ]);
        assert_eq!(push.payload, expected);
    }
}
