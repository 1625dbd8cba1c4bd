//! The service's end of a connection: bytes to packages and back.

use bytes::{Bytes, BytesMut};
use rmpv::Value;
use rtm_proto::frame::{DEFAULT_MAX_PACKAGE, Decoder, Frame, encode_answer, encode_quest};
use rtm_proto::payload::Encoding;

enum Framing {
    /// The client's first bytes will tell.
    Unknown,
    Stream,
    /// The request of a WebSocket, as far as it has arrived.
    Request(Vec<u8>),
    /// A frame, as far as it has arrived.
    WebSocket(Vec<u8>),
}

pub(crate) struct Wire {
    framing: Framing,
    decoder: Decoder,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Wire {
            framing: Framing::Unknown,
            decoder: Decoder::new(DEFAULT_MAX_PACKAGE),
        }
    }

    /// Takes bytes of the client; gives its packages, and the answer to its
    /// request for a WebSocket once that is complete.
    pub(crate) fn feed(&mut self, bytes: Bytes) -> (Vec<Frame>, Bytes) {
        let mut reply = Bytes::new();
        if let Framing::Unknown = self.framing {
            self.framing = match bytes.first() {
                Some(b'G') => Framing::Request(Vec::new()),
                _ => Framing::Stream,
            };
        }
        match &mut self.framing {
            Framing::Stream | Framing::Unknown => self.decoder.push(bytes),
            Framing::WebSocket(buffer) => buffer.extend_from_slice(&bytes),
            Framing::Request(request) => {
                request.extend_from_slice(&bytes);
                if request.ends_with(b"\r\n\r\n") {
                    reply = accept(request);
                    self.framing = Framing::WebSocket(Vec::new());
                }
            }
        }
        if let Framing::WebSocket(buffer) = &mut self.framing {
            while let Some((first, payload)) = next_frame(buffer) {
                if first == 0x82 {
                    self.decoder.push(payload.into());
                }
            }
        }
        let mut frames = Vec::new();
        while let Some(frame) = self.decoder.next_frame().unwrap() {
            frames.push(frame);
        }
        (frames, reply)
    }

    /// A package as it goes to the client.
    pub(crate) fn wrap(&self, package: Bytes) -> Bytes {
        match self.framing {
            Framing::WebSocket(_) => frame(&package),
            _ => package,
        }
    }
}

fn accept(request: &[u8]) -> Bytes {
    let request = std::str::from_utf8(request).unwrap();
    let mut lines = request.lines();
    let key = lines.find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let key = tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {key}\r\n\r\n"
    )
    .into()
}

/// An unmasked binary message.
fn frame(payload: &[u8]) -> Bytes {
    let mut frame = vec![0x82];
    match u8::try_from(payload.len()) {
        Ok(len @ ..=125) => frame.push(len),
        _ => {
            let len = u16::try_from(payload.len()).expect("a short package");
            frame.push(126);
            frame.extend(len.to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame.into()
}

/// Takes one masked frame of the client off the front.
fn next_frame(buffer: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let [first, second, rest @ ..] = &buffer[..] else {
        return None;
    };
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
    rmpv::encode::write_value(&mut out, &Value::Map(entries.collect())).unwrap();
    out
}

pub(crate) fn answer(seq: u32, status: u8, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_answer(&mut out, seq, status, Encoding::MsgPack, body).unwrap();
    out.freeze()
}

pub(crate) fn push(seq: Option<u32>, method: &str, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_quest(&mut out, seq, method, Encoding::MsgPack, body).unwrap();
    out.freeze()
}
