//! The service's end of a connection: bytes to packages and back.

use bytes::{Bytes, BytesMut};
use rmpv::Value;
use rtm_proto::frame::{Decoder, Frame, encode_answer, encode_quest};
use rtm_proto::payload::Encoding;

const MAX_PACKAGE: usize = 1 << 20;

enum Framing {
    Stream,
    /// The client's first bytes will tell.
    Unknown,
    /// The request of a WebSocket, as far as it has arrived.
    Request(Vec<u8>),
    /// A frame, as far as it has arrived.
    WebSocket(Vec<u8>),
}

/// The service's end of one connection.
pub(crate) struct Wire {
    framing: Framing,
    decoder: Decoder,
}

impl Wire {
    pub(crate) fn new(websocket: bool) -> Self {
        Wire {
            framing: match websocket {
                true => Framing::Request(Vec::new()),
                false => Framing::Stream,
            },
            decoder: Decoder::new(MAX_PACKAGE),
        }
    }

    /// An end that learns from the client's first bytes what it is.
    pub(crate) fn of_any_kind() -> Self {
        Wire {
            framing: Framing::Unknown,
            decoder: Decoder::new(MAX_PACKAGE),
        }
    }

    /// Whether packages can flow.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.framing, Framing::Request(_) | Framing::Unknown)
    }

    pub(crate) fn is_websocket(&self) -> bool {
        matches!(self.framing, Framing::WebSocket(_))
    }

    /// Takes bytes of the client; gives its packages, and the answer to its
    /// request for a WebSocket once that is complete.
    pub(crate) fn feed(&mut self, bytes: Bytes) -> (Vec<Frame>, Vec<u8>) {
        let mut reply = Vec::new();
        if let Framing::Unknown = self.framing {
            *self = Wire::new(bytes.starts_with(b"GET"));
        }
        match &mut self.framing {
            Framing::Stream | Framing::Unknown => self.decoder.push(bytes),
            Framing::Request(request) => {
                request.extend_from_slice(&bytes);
                let end = request.windows(4).position(|four| four == b"\r\n\r\n");
                if let Some(end) = end {
                    let rest = request.split_off(end + 4);
                    reply = accept(request, "");
                    self.framing = Framing::WebSocket(rest);
                }
            }
            Framing::WebSocket(buffer) => buffer.extend_from_slice(&bytes),
        }
        if let Framing::WebSocket(buffer) = &mut self.framing {
            while let Some((first, payload)) = next_frame(buffer) {
                if first == 0x82 {
                    self.decoder.push(payload.into());
                }
            }
        }
        let mut frames = Vec::new();
        while let Some(frame) = self.decoder.next_frame().expect("the client's packages") {
            frames.push(frame);
        }
        (frames, reply)
    }

    /// A package as it goes to the client.
    pub(crate) fn wrap(&self, package: &[u8]) -> Vec<u8> {
        match self.framing {
            Framing::WebSocket(_) => server_frame(0x82, package),
            _ => package.to_vec(),
        }
    }
}

/// The response to a request, with more headers if wanted.
pub(crate) fn accept(request: &[u8], headers: &str) -> Vec<u8> {
    let request = std::str::from_utf8(request).expect("the client's request");
    let mut lines = request.lines();
    let key = lines.find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let key = tungstenite::handshake::derive_accept_key(key.expect("a key").as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {key}\r\n{headers}\
         Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    )
    .into_bytes()
}

/// An unmasked frame.
pub(crate) fn server_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(len as u8),
        len @ 126..=0xffff => {
            frame.push(126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

/// Takes one masked frame of a client off the front.
fn next_frame(buffer: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let [first, second, rest @ ..] = &buffer[..] else {
        return None;
    };
    assert!(second & 0x80 != 0, "a client's frame must be masked");
    let size = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let (field, rest) = rest.split_at_checked(size)?;
    let len = match size {
        0 => usize::from(second & 0x7f),
        _ => field
            .iter()
            .fold(0, |len, byte| len << 8 | usize::from(*byte)),
    };
    let (mask, rest) = rest.split_at_checked(4)?;
    let payload = rest.get(..len)?;
    let plain = payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b);
    let frame = (*first, plain.collect());
    let used = 2 + size + 4 + len;
    buffer.drain(..used);
    Some(frame)
}

/// A msgpack map with text keys.
pub(crate) fn map(fields: &[(&str, Value)]) -> Vec<u8> {
    let entries = fields.iter();
    let entries = entries.map(|(k, v)| (Value::from(*k), v.clone()));
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, &Value::Map(entries.collect())).expect("memory");
    out
}

/// The package of an answer.
pub(crate) fn answer(seq: u32, status: u8, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_answer(&mut out, seq, status, Encoding::MsgPack, body).expect("a body");
    out.freeze()
}

/// The package of an error answer.
pub(crate) fn error(seq: u32, code: i64) -> Bytes {
    answer(seq, 1, &map(&[("code", code.into()), ("ex", "no".into())]))
}

/// The package of a push, two-way if it has a number.
pub(crate) fn push(seq: Option<u32>, method: &str, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_quest(&mut out, seq, method, Encoding::MsgPack, body).expect("a method");
    out.freeze()
}
