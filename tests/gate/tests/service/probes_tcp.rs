//! Odd and broken input over TCP, as it was tried on the public C++ server: the records of kind `probe-tcp` in
//! `tests/vectors/tcp-frames.json`, one test each. Quests that belong to that server's test methods are rewritten with
//! methods of this service.
//!
//! About encryption, which this service does not speak: probe-034, 035 and 038 hold anyway, because any `*key` ends the
//! connection; probe-036 (a point off the curve is accepted) does not apply and is turned round.

use crate::peer::{LIMIT, Peer, Via, field, from_json, map, msgpack, quest, socket};
use rmpv::Value;
use rtm_gate::{Effect, Ended, Gate, Times};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

fn records() -> Vec<serde_json::Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/tcp-frames.json");
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn record(id: &str) -> serde_json::Value {
    let found = records().into_iter().find(|record| record["id"] == id);
    found.unwrap_or_else(|| panic!("no record {id}"))
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// A quest that must be answered: proof that the connection is alive and in step.
fn assert_alive(peer: &mut Peer) {
    peer.send_package(&quest(0x80, Some(999), "*ping", &[0x80]));
    assert_eq!(peer.answer_to(999).code(), 0);
}

/// Sends what the record says, and compares what came back with what the record got.
fn replay(id: &str) {
    let record = record(id);
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    for part in record["sent_hex"].as_array().unwrap() {
        peer.try_send(&unhex(part.as_str().unwrap()));
    }
    let mut expected = record["got"].as_array().unwrap().clone();
    while !expected.is_empty() {
        let got = peer.read_package().expect("an answer");
        let at = expected.iter().position(|answer| {
            answer["mtype"] == got.mtype
                && answer["ss"] == got.ss
                && answer["flag"] == got.flag
                && answer["seq"].as_u64() == got.seq.map(u64::from)
                && from_json(&answer["payload"]) == got.payload
        });
        expected.remove(at.unwrap_or_else(|| panic!("{got:?} is not expected")));
    }
    if record["closed_by_server"].as_bool().unwrap() {
        peer.assert_closed();
    } else {
        assert_alive(&mut peer);
    }
}

macro_rules! replays {
    ($($name:ident = $id:literal,)*) => {
        $(#[test]
        fn $name() {
            replay($id);
        })*
    };
}

replays! {
    probe_002_two_quests_in_one_segment = "probe-002",
    probe_003_quest_split_in_the_header = "probe-003",
    probe_004_quest_one_byte_at_a_time = "probe-004",
    probe_005_bad_magic = "probe-005",
    probe_008_version_255 = "probe-008",
    probe_009_flag_0 = "probe-009",
    probe_011_zip_bit_is_echoed = "probe-011",
    probe_015_method_length_0 = "probe-015",
    probe_016_payload_size_0 = "probe-016",
    probe_017_payload_is_not_msgpack = "probe-017",
    probe_019_payload_is_truncated_msgpack = "probe-019",
    probe_020_json_payload_is_broken = "probe-020",
    probe_021_json_payload_is_an_array = "probe-021",
    probe_024_header_claims_8_mib_and_1 = "probe-024",
    probe_028_answer_with_unknown_seq = "probe-028",
    probe_029_same_seq_twice = "probe-029",
    probe_034_key_too_short = "probe-034",
    probe_035_key_with_64_bits = "probe-035",
    probe_038_key_as_the_second_quest = "probe-038",
}

/// The C++ server hangs here; this one closes, as it does over WebSocket.
#[test]
fn probe_014_message_type_255() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    peer.send(&unhex(record("probe-014")["sent_hex"][0].as_str().unwrap()));
    peer.assert_closed();
}

#[test]
fn probe_023_integer_map_key() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    peer.send(&quest(0x80, Some(1), "*ping", &[0x81, 0x01, 0x02]));
    assert_eq!(peer.answer_to(1).code(), 0);
}

#[test]
fn probe_025_header_claims_exactly_8_mib() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let start = unhex(record("probe-025")["sent_hex"][0].as_str().unwrap());
    let rest = (8 << 20) - start.len();
    peer.send(&start);
    // What follows the map is padding, which is tolerated: the package is complete and good.
    peer.send(&vec![0; rest]);
    assert_eq!(peer.answer_to(1).payload, map(&[("v", "x".into())]));
    assert_alive(&mut peer);
}

#[test]
fn probe_030_quest_then_half_close() {
    let record = record("probe-030");
    let gate = Gate::start().unwrap();
    let mut stream = socket(&gate.gate().tcp);
    stream
        .write_all(&unhex(record["sent_hex"][0].as_str().unwrap()))
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).unwrap();
    let payload = msgpack(&map(&[("v", "x".into())]));
    assert_eq!(got.len(), 16 + payload.len());
    assert!(got.ends_with(&payload));
}

#[test]
fn probe_031_method_name_of_255_bytes() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let name = "m".repeat(255);
    assert_eq!(peer.code(&name, &[]), 20004);
    assert_alive(&mut peer);
}

#[test]
fn probe_032_a_fast_answer_overtakes_a_slow_one() {
    let gate = Gate::start().unwrap();
    let slow = Effect::Delay(Duration::from_millis(300));
    gate.faults().on("t_echo", slow, Times::N(1));
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let echo = |seq| {
        quest(
            0x80,
            Some(seq),
            "t_echo",
            &msgpack(&map(&[("v", "x".into())])),
        )
    };
    peer.send(&[echo(1), echo(2)].concat());
    let order = [(); 2].map(|()| peer.read_package().unwrap().seq);
    assert_eq!(order, [Some(2), Some(1)]);
}

#[test]
fn probe_033_fifty_quests_pipelined() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let echo = |seq: u32| {
        let payload = map(&[("v", format!("n{seq}").into())]);
        quest(0x80, Some(seq), "t_echo", &msgpack(&payload))
    };
    peer.send(&(0..50).flat_map(echo).collect::<Vec<_>>());
    for seq in 0..50 {
        let answer = peer.answer_to(seq);
        let expected = Value::from(format!("n{seq}"));
        assert_eq!(field(&answer.payload, "v"), expected);
    }
}

#[test]
fn probe_036_any_key_ends_the_connection() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    peer.send(&unhex(record("probe-036")["sent_hex"][0].as_str().unwrap()));
    peer.assert_closed();
}

#[test]
fn probe_041_idle_connection() {
    let limit = Duration::from_millis(300);
    let gate = Gate::builder().idle_timeout(limit).start().unwrap();
    let started = Instant::now();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    peer.assert_closed();
    assert!(started.elapsed() >= limit);
    assert!(gate.wait_for(|seen| seen.connections[0].ended == Some(Ended::Idle), LIMIT));
}

#[test]
fn probe_042_pings_keep_a_connection() {
    let limit = Duration::from_secs(2);
    let gate = Gate::builder().idle_timeout(limit).start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let started = Instant::now();
    while started.elapsed() < limit + limit / 2 {
        assert_eq!(peer.code("*ping", &[]), 0);
        // The time between two pings is what this is about.
        std::thread::sleep(limit / 4);
    }
    assert_eq!(peer.code("*ping", &[]), 0);
}

#[test]
fn probe_043_three_bytes_then_silence() {
    let limit = Duration::from_millis(300);
    let gate = Gate::builder().idle_timeout(limit).start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    peer.send(b"FPN");
    peer.assert_closed();
    assert!(gate.wait_for(|seen| seen.connections[0].ended == Some(Ended::Idle), LIMIT));
}

#[test]
fn requests_of_http_are_closed_without_a_word() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    peer.send(b"POST /service/which HTTP/1.1\r\n\r\n");
    peer.assert_closed();
}

/// The records of kind `push`: the same quest brings the same answer and the same pushes, but for the clock and the
/// numbers.
#[test]
fn recorded_pushes_come_as_recorded() {
    let records = records();
    let pushes = records.iter().filter(|record| record["kind"] == "push");
    assert_eq!(pushes.clone().count(), 6);
    for record in pushes {
        let gate = Gate::start().unwrap();
        let mut peer = Peer::connect(&gate, Via::Tcp);
        peer.send(&unhex(record["quest"]["frame_hex"].as_str().unwrap()));
        let answer = peer.read_package().unwrap();
        let header = &record["answer"]["header"];
        assert_eq!(header["seq"].as_u64(), answer.seq.map(u64::from));
        assert_eq!(
            (header["flag"].as_u64(), answer.ss),
            (Some(answer.flag.into()), 0)
        );
        for frame in record["server_frames_after_answer"].as_array().unwrap() {
            let push = peer.push();
            let header = &frame["header"];
            assert_eq!(header["flag"], push.flag, "{}", record["id"]);
            assert_eq!(header["mtype"], push.mtype, "{}", record["id"]);
            assert_eq!(header["ss"].as_u64(), Some(push.method.len() as u64));
            if push.flag == 0x80 {
                assert_eq!(
                    header["psize"].as_u64(),
                    Some(msgpack(&push.payload).len() as u64)
                );
            }
            let recorded = frame["payload"].as_object();
            for (key, value) in recorded
                .into_iter()
                .flatten()
                .filter(|(key, _)| *key != "mtime")
            {
                let value = match value["int"].as_str() {
                    Some(number) => Value::from(number.parse::<i64>().unwrap()),
                    None => from_json(value),
                };
                assert_eq!(field(&push.payload, key), value, "{} {key}", record["id"]);
            }
        }
    }
}
