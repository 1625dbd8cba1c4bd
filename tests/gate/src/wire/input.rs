//! What comes in on a connection, whichever of the two protocols it speaks.

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
