//! What comes in on a connection, whichever of the two protocols it speaks.

use super::http;
use super::package::{self, Malformed, Package};
use super::websocket::{self, Incoming, Reader, Upgrade};
use bytes::BytesMut;

/// Something that needs a reaction.
#[derive(Debug, PartialEq)]
pub(crate) enum Item {
    /// A package.
    Package(Package),
    /// The upgrade was accepted with this response; the connection speaks WebSocket from here.
    Upgraded(String),
    /// The request was refused with this response; close after it.
    Refused(String),
    /// A request for the file of this name; close after the response.
    File(String),
    /// A WebSocket ping.
    Ping,
    /// The peer wants to end, or asked for something that is closed without a word.
    Close,
}

#[derive(Debug)]
enum Protocol {
    Undecided,
    Plain,
    Http,
    WebSocket(Reader),
}

/// Collects bytes and takes items out of them.
#[derive(Debug)]
pub(crate) struct Input {
    bytes: BytesMut,
    protocol: Protocol,
}

impl Input {
    pub(crate) fn new() -> Self {
        Self {
            bytes: BytesMut::new(),
            protocol: Protocol::Undecided,
        }
    }

    pub(crate) fn receive(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
    }

    /// The next item; `None` when more bytes are needed.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Malformed> {
        loop {
            match &mut self.protocol {
                Protocol::Undecided => match self.bytes.first_chunk::<4>() {
                    None => return Ok(None),
                    Some(b"GET ") => self.protocol = Protocol::Http,
                    Some(_) => self.protocol = Protocol::Plain,
                },
                Protocol::Plain => return self.plain(),
                Protocol::Http => return self.request(),
                Protocol::WebSocket(reader) => match reader.next(&mut self.bytes)? {
                    None => return Ok(None),
                    Some(Incoming::Pong) => {}
                    Some(Incoming::Ping) => return Ok(Some(Item::Ping)),
                    Some(Incoming::Close) => return Ok(Some(Item::Close)),
                    Some(Incoming::Message(message)) => {
                        return Ok(Some(Item::Package(package::decode(&message)?)));
                    }
                },
            }
        }
    }

    fn plain(&mut self) -> Result<Option<Item>, Malformed> {
        match package::total_len(&self.bytes)? {
            Some(total) if self.bytes.len() >= total => {
                let bytes = self.bytes.split_to(total);
                Ok(Some(Item::Package(package::decode(&bytes)?)))
            }
            _ => Ok(None),
        }
    }

    fn request(&mut self) -> Result<Option<Item>, Malformed> {
        let Some(len) = websocket::head_len(&self.bytes)? else {
            return Ok(None);
        };
        let head = self.bytes.split_to(len);
        if let Some(name) = http::wanted_file(&head) {
            return Ok(Some(Item::File(name.to_owned())));
        }
        Ok(Some(match websocket::upgrade(&head) {
            Upgrade::Accepted(response) => {
                self.protocol = Protocol::WebSocket(Reader::default());
                Item::Upgraded(response)
            }
            Upgrade::Refused(response) => Item::Refused(response),
            Upgrade::Dropped => Item::Close,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Value;

    fn items(parts: &[&[u8]]) -> Result<Vec<Item>, Malformed> {
        let mut input = Input::new();
        let mut items = Vec::new();
        for part in parts {
            input.receive(part);
            while let Some(item) = input.next()? {
                items.push(item);
            }
        }
        Ok(items)
    }

    #[test]
    fn packages_come_out_however_they_are_split() {
        let payload = package::quest(0x80, Some(1), "t_echo", &[0x81, 0xa1, b'v', 0xa1, b'x']);
        let twice = payload.repeat(2);
        for split in 0..twice.len() {
            let items = items(&[&twice[..split], &twice[split..]]).unwrap();
            assert_eq!(items.len(), 2);
            for item in items {
                let Item::Package(package) = item else {
                    panic!("{item:?}");
                };
                assert_eq!(package.payload, Value::map([("v", "x".into())]));
            }
        }
    }

    #[test]
    fn a_request_and_the_frames_behind_it_may_come_at_once() {
        let request = "GET /service/websocket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let bytes = [request.as_bytes(), &[0x89, 0x80, 1, 2, 3, 4]].concat();
        let items = items(&[&bytes]).unwrap();
        assert!(matches!(items[..], [Item::Upgraded(_), Item::Ping]));
    }

    #[test]
    fn whatever_comes_is_read_or_refused() {
        // A linear congruential generator: the same bytes at each run.
        let mut state = 1_u64;
        let mut random = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        let good = package::quest(0x80, Some(1), "t_echo", &[0x81, 0xa1, b'v', 0xa1, b'x']);
        let (mut read, mut refused) = (0, 0);
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..random() % 4 {
                let at = usize::from(random()) % bytes.len();
                bytes[at] = random();
            }
            match items(&[&bytes]) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
        assert!(read > 1000 && refused > 1000, "{read} {refused}");
    }
}
