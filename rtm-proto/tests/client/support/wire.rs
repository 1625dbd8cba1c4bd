//! The service's end of a connection: bytes to packages and back.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use rmpv::Value;
use rtm_proto::frame::{DEFAULT_MAX_PACKAGE, Decoder, Frame, encode_answer, encode_quest};
use rtm_proto::payload::Encoding;
use tungstenite::handshake::MidHandshake;
use tungstenite::handshake::server::{NoCallback, ServerHandshake};
use tungstenite::{HandshakeError, Message, WebSocket};

/// A msgpack map with text keys.
pub(crate) fn map(fields: &[(&str, Value)]) -> Value {
    let entries = fields.iter();
    Value::Map(entries.map(|(k, v)| (Value::from(*k), v.clone())).collect())
}

fn pack(body: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, body).unwrap();
    out
}

/// The package of a successful answer.
pub(crate) fn answer(seq: u32, body: &Value) -> Bytes {
    answer_package(seq, 0, body)
}

/// The package of an error answer.
pub(crate) fn error(seq: u32, code: i64, ex: &str) -> Bytes {
    answer_package(seq, 1, &map(&[("code", code.into()), ("ex", ex.into())]))
}

fn answer_package(seq: u32, status: u8, body: &Value) -> Bytes {
    let mut out = BytesMut::new();
    encode_answer(&mut out, seq, status, Encoding::MsgPack, &pack(body)).unwrap();
    out.freeze()
}

/// The package of a two-way push.
pub(crate) fn push(seq: u32, method: &str, body: &Value) -> Bytes {
    quest(Some(seq), method, Encoding::MsgPack, &pack(body))
}

/// The package of a one-way push.
pub(crate) fn one_way(method: &str, body: &Value) -> Bytes {
    quest(None, method, Encoding::MsgPack, &pack(body))
}

/// The package of a two-way push with a JSON body.
pub(crate) fn push_json(seq: u32, method: &str, body: &str) -> Bytes {
    quest(Some(seq), method, Encoding::Json, body.as_bytes())
}

fn quest(seq: Option<u32>, method: &str, encoding: Encoding, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_quest(&mut out, seq, method, encoding, body).unwrap();
    out.freeze()
}

/// One end of a socket's two directions, shared with tungstenite.
#[derive(Clone, Default)]
struct Pipe(Rc<RefCell<Buffers>>);

#[derive(Default)]
struct Buffers {
    incoming: VecDeque<u8>,
    outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.borrow_mut().incoming.read(buf)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Framing {
    Stream,
    Upgrading(Box<MidHandshake<ServerHandshake<Pipe, NoCallback>>>),
    WebSocket(Box<WebSocket<Pipe>>),
    Over,
}

/// The service's end of one connection.
pub(crate) struct Wire {
    pipe: Pipe,
    framing: Framing,
    decoder: Decoder,
    /// The peer said goodbye, or we did and it replied.
    pub(crate) ended: bool,
}

impl Wire {
    pub(crate) fn stream() -> Self {
        Wire::new(Pipe::default(), Framing::Stream)
    }

    pub(crate) fn websocket() -> Self {
        let pipe = Pipe::default();
        match tungstenite::accept(pipe.clone()) {
            Err(HandshakeError::Interrupted(mid)) => {
                Wire::new(pipe, Framing::Upgrading(Box::new(mid)))
            }
            _ => panic!("a handshake without a request"),
        }
    }

    fn new(pipe: Pipe, framing: Framing) -> Self {
        Wire {
            pipe,
            framing,
            decoder: Decoder::new(DEFAULT_MAX_PACKAGE),
            ended: false,
        }
    }

    /// Whether packages can flow.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.framing, Framing::Stream | Framing::WebSocket(_))
    }

    /// Takes bytes of the client; gives the packages that are complete.
    pub(crate) fn feed(&mut self, bytes: Bytes) -> Vec<Frame> {
        if let Framing::Stream = self.framing {
            self.decoder.push(bytes);
        } else {
            self.pipe.0.borrow_mut().incoming.extend(bytes);
            self.upgrade();
            self.read_messages();
        }
        let mut frames = Vec::new();
        while let Some(frame) = self.decoder.next_frame().unwrap() {
            frames.push(frame);
        }
        frames
    }

    fn upgrade(&mut self) {
        self.framing = match std::mem::replace(&mut self.framing, Framing::Over) {
            Framing::Upgrading(mid) => match mid.handshake() {
                Ok(websocket) => Framing::WebSocket(Box::new(websocket)),
                Err(HandshakeError::Interrupted(mid)) => Framing::Upgrading(Box::new(mid)),
                Err(HandshakeError::Failure(error)) => panic!("bad upgrade: {error}"),
            },
            other => other,
        };
    }

    fn read_messages(&mut self) {
        let Framing::WebSocket(websocket) = &mut self.framing else {
            return;
        };
        loop {
            match websocket.read() {
                Ok(Message::Binary(bytes)) => self.decoder.push(bytes),
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return;
                }
                Err(_) => {
                    self.ended = true;
                    return;
                }
            }
        }
    }

    /// Sends one package, unless a goodbye was said.
    pub(crate) fn send(&mut self, package: Bytes) {
        match &mut self.framing {
            Framing::Stream => self.send_raw(&package),
            Framing::WebSocket(websocket) if websocket.can_write() => {
                websocket.send(Message::Binary(package)).unwrap();
            }
            Framing::WebSocket(_) => {}
            _ => panic!("the connection is not open"),
        }
    }

    /// Sends bytes past all framing.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.pipe.0.borrow_mut().outgoing.extend_from_slice(bytes);
    }

    /// Ends the connection in an orderly way. A stream ends at once, a
    /// WebSocket when the peer has replied.
    pub(crate) fn close(&mut self) {
        match &mut self.framing {
            Framing::WebSocket(websocket) => websocket.close(None).unwrap(),
            _ => self.ended = true,
        }
    }

    /// Bytes for the client.
    pub(crate) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.pipe.0.borrow_mut().outgoing).into()
    }
}
