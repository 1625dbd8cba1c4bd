//! One connection of the fixed service.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rmpv::Value;

use super::{pushes, websocket};
use crate::load::wire::{self, Next};

/// A read brings at most this much.
const BUFFER: usize = 256 << 10;

pub(super) struct Link {
    reading: TcpStream,
    /// Answers and pushes take turns, each with whole packages.
    writing: Writer,
    is_websocket: bool,
    answer: Vec<u8>,
}

/// The side that is written to, for whole packages at a time.
#[derive(Clone)]
pub(super) struct Writer(Arc<Mutex<TcpStream>>);

impl Writer {
    pub(super) fn write(&self, packages: &[u8]) -> io::Result<()> {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(packages)
    }
}

impl Link {
    pub(super) fn new(stream: TcpStream, is_websocket: bool) -> io::Result<Self> {
        let writing = Writer(Arc::new(Mutex::new(stream.try_clone()?)));
        // Good for `auth`, for every message and for whatever wants no field.
        let body = wire::body(vec![
            ("ok", Value::from(true)),
            ("mtime", Value::from(1_591_322_544_000_i64)),
        ]);
        let mut answer = wire::answer(&body);
        if is_websocket {
            answer.splice(0..0, websocket::head(answer.len()));
        }
        Ok(Link {
            reading: stream,
            writing,
            is_websocket,
            answer,
        })
    }

    /// Answers until the peer goes away.
    pub(super) fn serve(mut self) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        let mut filled = 0;
        let mut out = Vec::new();
        loop {
            let free = buffer.get_mut(filled..).unwrap_or_default();
            if free.is_empty() {
                buffer.resize(buffer.len() * 2, 0);
                continue;
            }
            match self.reading.read(free)? {
                0 => return Ok(()),
                len => filled += len,
            }
            let arrived = buffer.get_mut(..filled).unwrap_or_default();
            let used = self.answer_all(arrived, &mut out)?;
            buffer.copy_within(used..filled, 0);
            filled -= used;
            if !out.is_empty() {
                self.writing.write(&out)?;
                out.clear();
            }
        }
    }

    /// Answers the complete packages of what has arrived; gives their length.
    fn answer_all(&self, arrived: &mut [u8], out: &mut Vec<u8>) -> io::Result<usize> {
        let mut used = 0;
        loop {
            let rest = arrived.get_mut(used..).unwrap_or_default();
            let (package, len) = if self.is_websocket {
                match websocket::unframe(rest) {
                    None => return Ok(used),
                    Some(websocket::Frame::Close) => {
                        return Err(ErrorKind::ConnectionAborted.into());
                    }
                    Some(websocket::Frame::Data { payload, len }) => (payload, len),
                }
            } else {
                match wire::next(rest) {
                    Next::Package(head) => (&*rest, head.len),
                    Next::Incomplete => return Ok(used),
                    Next::Garbage => return Err(ErrorKind::InvalidData.into()),
                }
            };
            let Next::Package(head) = wire::next(package) else {
                return Err(ErrorKind::InvalidData.into());
            };
            if head.kind == wire::TWO_WAY {
                self.answer_one(head.seq, out);
                let method = package.get(16..16 + usize::from(head.small));
                if method == Some(b"t_push") {
                    self.push(package.get(22..head.len).unwrap_or_default())?;
                }
            }
            used += len;
        }
    }

    fn answer_one(&self, seq: u32, out: &mut Vec<u8>) {
        let at = out.len();
        out.extend_from_slice(&self.answer);
        let head = if self.is_websocket { 2 } else { 0 };
        wire::set_seq(out, at + head, seq);
    }

    /// Pushes on a thread of its own: who only writes, while the peer only
    /// writes, waits for ever.
    fn push(&self, mut body: &[u8]) -> io::Result<()> {
        let body = rmpv::decode::read_value(&mut body).map_err(io::Error::other)?;
        let number = |key: &str| {
            let fields = body.as_map().into_iter().flatten();
            let mut values = fields.filter(|(name, _)| name.as_str() == Some(key));
            values.next().and_then(|(_, value)| value.as_u64())
        };
        let count = number("n").unwrap_or(0);
        let size = number("len").unwrap_or(5);
        let size = usize::try_from(size).map_err(io::Error::other)?;
        let (writer, is_websocket) = (self.writing.clone(), self.is_websocket);
        thread::Builder::new().spawn(move || {
            // The reading thread notices when the peer goes away.
            let _ = pushes::write(&writer, is_websocket, count, size);
        })?;
        Ok(())
    }
}
