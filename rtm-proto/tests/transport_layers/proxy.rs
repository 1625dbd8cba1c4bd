//! Packages wrapped for an RTM proxy, against recorded messages of the JavaScript SDK.

use rtm_proto::transport::{Scheme, Transport, TransportError, TransportLimits};
use serde_json::Value;

use crate::support::{Peer, client_frames, identity, pump, send, target};

const RECORDS: &str = include_str!("../../../tests/vectors/client-frames.json");

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

fn through_proxy(scheme: Scheme, endpoint: &str) -> Transport {
    let target = target(scheme).wrapping(endpoint);
    Transport::new(
        &target,
        Some(&identity().options()),
        TransportLimits::default(),
    )
    .unwrap()
}

#[test]
fn wrapped_packages_are_byte_for_byte_those_of_the_records() {
    let records: Vec<Value> = serde_json::from_str(RECORDS).unwrap();
    let mut seen = 0;
    for record in records.iter().filter(|record| record["kind"] == "proxy") {
        let endpoint = record["wrapper"]["endpoint"].as_str().unwrap();
        let package = unhex(record["frame_hex"].as_str().unwrap());
        let message = unhex(record["message_hex"].as_str().unwrap());
        let mut transport = through_proxy(Scheme::Wss, endpoint);
        let mut peer = Peer::new(Scheme::Wss);
        send(&mut transport, &package);
        pump(&mut transport, &mut peer, usize::MAX).unwrap();
        assert_eq!(
            client_frames(&peer.plain),
            [(0x82, message)],
            "{}",
            record["id"]
        );
        seen += 1;
    }
    assert!(seen >= 5);
}

#[test]
fn what_comes_back_is_not_unwrapped() {
    let mut transport = through_proxy(Scheme::Ws, "10.0.0.5:13325");
    let mut peer = Peer::new(Scheme::Ws);
    pump(&mut transport, &mut peer, usize::MAX).unwrap();
    peer.write(&crate::support::frame(0x82, b"FPNN answer"));
    assert_eq!(
        pump(&mut transport, &mut peer, usize::MAX).unwrap(),
        b"FPNN answer"
    );
}

#[test]
fn the_lengths_of_a_broken_encoder_leave_the_wrapper_out() {
    let mut transport = through_proxy(Scheme::Tcp, "10.0.0.5:13325");
    let wrong = transport.send(5, |buffer| buffer.extend_from_slice(b"four"));
    assert_eq!(
        wrong,
        Err(TransportError::LengthMismatch {
            expected: 5,
            written: 4
        })
    );
    assert_eq!(transport.unsent(), 0);
}
