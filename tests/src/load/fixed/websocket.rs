//! The server's side of WebSocket, as far as binary messages need it.
//!
//! The whole of the frame format is RFC 6455, section 5.2.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;

use tungstenite::handshake::derive_accept_key;

const FINAL_BINARY: u8 = 0x82;
const CLOSE: u8 = 0x08;
const MASKED: u8 = 0x80;

/// Reads the request and answers it. No client sends a frame before it is
/// answered, so nothing is read that belongs to one.
pub(super) fn accept(stream: &TcpStream) -> io::Result<()> {
    let mut key = None;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("sec-websocket-key")
        {
            key = Some(derive_accept_key(value.trim().as_bytes()));
        }
    }
    let key = key.ok_or(ErrorKind::InvalidData)?;
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {key}\r\n\r\n"
    )
}

/// The head of a message of this length from the server.
pub(super) fn head(len: usize) -> Vec<u8> {
    let mut head = vec![FINAL_BINARY];
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ ..=125), _) => head.push(len),
        (_, Ok(len)) => {
            head.push(126);
            head.extend(len.to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend((len as u64).to_be_bytes());
        }
    }
    head
}

pub(super) enum Frame<'a> {
    Close,
    Data {
        payload: &'a [u8],
        /// Bytes of the whole frame.
        len: usize,
    },
}

/// Takes the mask off the first frame, if it is complete.
pub(super) fn unframe(bytes: &mut [u8]) -> Option<Frame<'_>> {
    let &[first, second] = bytes.first_chunk()?;
    if first & 0x0f == CLOSE {
        return Some(Frame::Close);
    }
    let (len, mask_at) = match second & !MASKED {
        126 => (
            u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
            4,
        ),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
        len => (u64::from(len), 2),
    };
    let mask: [u8; 4] = *bytes.get(mask_at..)?.first_chunk()?;
    let payload_at = mask_at + mask.len();
    let end = payload_at.checked_add(usize::try_from(len).ok()?)?;
    let payload = bytes.get_mut(payload_at..end)?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Some(Frame::Data { payload, len: end })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The masked "Hello" of RFC 6455, section 5.7.
    #[test]
    fn the_masked_hello_of_the_rfc_is_read() {
        let mut hello = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert!(unframe(&mut hello[..10]).is_none());
        let Some(Frame::Data { payload, len }) = unframe(&mut hello) else {
            panic!("a frame of data");
        };
        assert_eq!((payload, len), (&b"Hello"[..], 11));
    }

    #[test]
    fn heads_have_the_three_forms_of_the_rfc() {
        assert_eq!(head(125), [0x82, 125]);
        assert_eq!(head(256), [0x82, 126, 1, 0]);
        assert_eq!(head(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }
}
