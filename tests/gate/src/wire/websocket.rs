//! The server's side of WebSocket, with the habits of the public C++ server (`highras/fpnn core/WebSocketReceiver.cpp`
//! and `core/IOBuffer.cpp`), some of which the RFC and the usual libraries do not allow: a pong without the ping's
//! payload, text messages of any bytes, a continuation that continues nothing.

use super::package::{MAX_PACKAGE, Malformed};
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use async_tungstenite::tungstenite::protocol::frame::FrameHeader;
use async_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use bytes::{Buf, BytesMut};
use std::io::Cursor;

/// The only path that is served; a query or a longer last segment is tolerated.
const PATH: &str = "/service/websocket";
/// The largest request head in bytes.
const MAX_HEAD: usize = 16 << 10;
/// An empty pong, whatever the ping carried.
pub(crate) const PONG: [u8; 2] = [0x8a, 0];

/// What to do about a request head.
#[derive(Debug, PartialEq)]
pub(crate) enum Upgrade {
    /// Send this response; WebSocket frames follow.
    Accepted(String),
    /// Send this response, then close.
    Refused(String),
    /// Close without a word.
    Dropped,
}

/// Where the request head at the start of `bytes` ends, if it is complete.
pub(crate) fn head_len(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    match bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(at) if at + 4 <= MAX_HEAD => Ok(Some(at + 4)),
        None if bytes.len() < MAX_HEAD => Ok(None),
        _ => Err(Malformed("request head")),
    }
}

/// Judges a complete request head.
pub(crate) fn upgrade(head: &[u8]) -> Upgrade {
    let Ok(text) = std::str::from_utf8(head) else {
        return Upgrade::Dropped;
    };
    let mut lines = text.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1));
    if !target.is_some_and(|target| target.starts_with(PATH)) {
        return Upgrade::Dropped;
    }
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect::<Vec<_>>();
    let header = |wanted: &str| {
        headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| *value)
    };
    let is_upgrade = header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
        && header("connection").is_some_and(|value| value.contains("Upgrade"))
        && header("sec-websocket-version") == Some("13");
    match header("sec-websocket-key") {
        Some(key) if is_upgrade => {
            Upgrade::Accepted(accepted(key, header("sec-websocket-protocol")))
        }
        _ => Upgrade::Refused(refused()),
    }
}

fn accepted(key: &str, protocol: Option<&str>) -> String {
    let accept = derive_accept_key(key.as_bytes());
    let protocol = protocol.map_or(String::new(), |offer| {
        format!("Sec-WebSocket-Protocol: {offer}\r\n")
    });
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{protocol}\r\n"
    )
}

/// The C++ server takes such a request for an HTTP call of a method named `websocket`, which nobody has.
fn refused() -> String {
    let body = r#"{"code":20004,"ex":"Unknow method:websocket"}"#;
    let len = body.len();
    format!(
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n\
         Content-Length: {len}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// What came out of the frames.
#[derive(Debug, PartialEq)]
pub(crate) enum Incoming {
    /// A complete message.
    Message(Vec<u8>),
    Ping,
    Pong,
    Close,
}

/// Joins frames to messages.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    fragments: Vec<u8>,
    fragmented: bool,
}

impl Reader {
    /// Takes the next message or control frame out of `input`; `None` when more bytes are needed.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Incoming>, Malformed> {
        while let Some((header, payload)) = take_frame(input)? {
            match header.opcode {
                OpCode::Control(_) if !header.is_final || payload.len() > 125 => {
                    return Err(Malformed("control frame"));
                }
                OpCode::Control(Control::Ping) => return Ok(Some(Incoming::Ping)),
                OpCode::Control(Control::Pong) => return Ok(Some(Incoming::Pong)),
                OpCode::Control(_) => return Ok(Some(Incoming::Close)),
                OpCode::Data(kind) => {
                    if self.fragmented && kind != Data::Continue {
                        return Err(Malformed("new message inside a fragmented one"));
                    }
                    if let Some(message) = self.join(header.is_final, &payload)? {
                        return Ok(Some(Incoming::Message(message)));
                    }
                }
            }
        }
        Ok(None)
    }

    fn join(&mut self, is_final: bool, payload: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        if self.fragments.len() + payload.len() > MAX_PACKAGE {
            return Err(Malformed("too large"));
        }
        self.fragments.extend_from_slice(payload);
        self.fragmented = !is_final;
        Ok(is_final.then(|| std::mem::take(&mut self.fragments)))
    }
}

/// Takes one frame, unmasked, out of `input`.
fn take_frame(input: &mut BytesMut) -> Result<Option<(FrameHeader, BytesMut)>, Malformed> {
    let mut cursor = Cursor::new(&*input);
    let parsed = FrameHeader::parse(&mut cursor).map_err(|_| Malformed("opcode"))?;
    let Some((header, len)) = parsed else {
        return Ok(None);
    };
    if header.rsv1 || header.rsv2 || header.rsv3 {
        return Err(Malformed("reserved bits"));
    }
    let mask = header.mask.ok_or(Malformed("unmasked frame"))?;
    let len = usize::try_from(len)
        .ok()
        .filter(|len| *len <= MAX_PACKAGE)
        .ok_or(Malformed("too large"))?;
    let start = usize::try_from(cursor.position()).map_err(|_| Malformed("too large"))?;
    if input.len() - start < len {
        return Ok(None);
    }
    input.advance(start);
    let mut payload = input.split_to(len);
    for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
    Ok(Some((header, payload)))
}

/// Puts one package into a frame. With `defect`, a package of exactly 126 bytes goes out as the C++ server sends it:
/// with the marker of a two-byte length, but without the length.
pub(crate) fn write_frame(out: &mut Vec<u8>, package: &[u8], defect: bool) {
    out.push(0x82);
    match package.len() {
        len @ ..126 => out.push(len as u8),
        126 if defect => out.push(126),
        len @ ..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(package);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![first, 0x80 | payload.len() as u8, 1, 2, 3, 4];
        out.extend(
            payload
                .iter()
                .zip([1, 2, 3, 4].iter().cycle())
                .map(|(b, k)| b ^ k),
        );
        out
    }

    #[test]
    fn fragments_join_around_control_frames_at_every_split() {
        let bytes = [
            masked(0x02, b"ab"),
            masked(0x89, b"ping"),
            masked(0x00, b"cd"),
            masked(0x80, b"ef"),
        ]
        .concat();
        for split in 0..bytes.len() {
            let mut reader = Reader::default();
            let mut input = BytesMut::new();
            let mut got = Vec::new();
            for part in [&bytes[..split], &bytes[split..]] {
                input.extend_from_slice(part);
                while let Some(incoming) = reader.next(&mut input).unwrap() {
                    got.push(incoming);
                }
            }
            assert_eq!(got, [Incoming::Ping, Incoming::Message(b"abcdef".to_vec())]);
        }
    }

    #[test]
    fn what_a_client_must_not_send_is_refused() {
        let refused = |bytes: &[u8]| Reader::default().next(&mut BytesMut::from(bytes)).is_err();
        assert!(refused(&[0x82, 1, b'x']), "unmasked");
        assert!(refused(&masked(0x83, b"x")), "unknown opcode");
        assert!(refused(&masked(0xc2, b"x")), "reserved bit");
        assert!(refused(&masked(0x09, b"")), "fragmented ping");
        assert!(
            refused(&[0x82, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
            "huge"
        );
    }

    #[test]
    fn the_length_forms_change_at_126_and_65536_bytes() {
        let head = |len: usize, defect| {
            let mut out = Vec::new();
            write_frame(&mut out, &vec![0; len], defect);
            out.truncate(out.len() - len);
            out
        };
        assert_eq!(head(125, true), [0x82, 125]);
        assert_eq!(head(126, false), [0x82, 126, 0, 126]);
        assert_eq!(head(126, true), [0x82, 126]);
        assert_eq!(head(127, true), [0x82, 126, 0, 127]);
        assert_eq!(head(65_535, false), [0x82, 126, 0xff, 0xff]);
        assert_eq!(head(65_536, false), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_request_head_is_judged_by_path_and_headers() {
        let head = |path: &str, connection: &str, version: &str| {
            upgrade(
                format!(
                    "GET {path} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: {connection}\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: {version}\r\n\r\n"
                )
                .as_bytes(),
            )
        };
        let Upgrade::Accepted(response) =
            head("/service/websocket?x=1", "keep-alive, Upgrade", "13")
        else {
            panic!("not accepted");
        };
        assert!(response.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(head("/", "Upgrade", "13"), Upgrade::Dropped);
        assert_eq!(
            head("/xservice/websocket", "Upgrade", "13"),
            Upgrade::Dropped
        );
        assert!(matches!(
            head("/service/websocket", "Upgrade", "8"),
            Upgrade::Refused(_)
        ));
        assert!(matches!(
            head("/service/websocket", "upgrade", "13"),
            Upgrade::Refused(_)
        ));
    }

    #[test]
    fn a_request_head_is_bounded() {
        assert_eq!(head_len(b"GET / HTTP/1.1\r\n\r\nrest"), Ok(Some(18)));
        assert_eq!(head_len(b"GET / HTTP/1.1\r\n"), Ok(None));
        assert!(head_len(&vec![b'x'; MAX_HEAD]).is_err());
    }
}
