//! WebSocket (RFC 6455) as a layer: one package per binary message out, a byte stream in.
//!
//! tungstenite does the framing, over a stream that exists in memory only.

use std::boxed::Box;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::string::ToString;

use bytes::{Bytes, BytesMut};
use tungstenite::error::{CapacityError, Error};
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};

use super::queue::{ByteQueue, Mismatch};
use super::repair::Repair;
use super::target::Host;
use super::upgrade::Upgrade;
use super::{TransportError, TransportLimits};

/// Each read of tungstenite clears this much first, so more costs time with every small message.
const READ_BUFFER: usize = 4096;

/// A message above this leaves buffers behind which are worth giving back: at the end of the next chunk
/// without one, so that large messages in a row do not allocate each time.
const LARGE: usize = 8 * 1024;

/// A message above this leaves buffers behind which must go at once.
const HUGE: usize = 256 * 1024;

/// While no more than this is unsent, every ping gets its pong.
const EVERY_PONG: usize = 64 * 1024;

pub(super) struct WebSocket {
    /// Waits for the response; none once it came.
    upgrade: Option<Upgrade>,
    repair: Repair,
    context: WebSocketContext,
    config: WebSocketConfig,
    /// Where a package lies until it is framed.
    package: ByteQueue,
    /// Chunks until the buffers of a large message go; zero where there are none.
    chunks_until_rest: u8,
    /// Between which counts of the queue the last pong lies.
    last_pong: (u64, u64),
    peer_closed: bool,
}

impl WebSocket {
    /// Puts the request into `out` and holds back what follows until the response is there.
    pub(super) fn open(
        host: &Host<'_>,
        port: u16,
        limits: &TransportLimits,
        out: &mut ByteQueue,
    ) -> Result<Box<Self>, TransportError> {
        let (request, upgrade) = Upgrade::start(host, port, limits.max_response_head)?;
        out.extend(&request);
        out.hold_what_follows();
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_frame_size(Some(limits.max_message))
            .max_message_size(Some(limits.max_message));
        Ok(Box::new(Self {
            upgrade: Some(upgrade),
            repair: Repair::default(),
            context: WebSocketContext::new(Role::Client, Some(config)),
            config,
            package: ByteQueue::default(),
            chunks_until_rest: 0,
            last_pong: (0, 0),
            peer_closed: false,
        }))
    }

    pub(super) fn is_opening(&self) -> bool {
        self.upgrade.is_some()
    }

    pub(super) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// Frames one package. Outer error: the frame; inner error: the encoder.
    pub(super) fn send(
        &mut self,
        len: usize,
        encode: impl FnOnce(&mut BytesMut),
        out: &mut ByteQueue,
    ) -> Result<Result<(), Mismatch>, TransportError> {
        if let Err(mismatch) = self.package.append(len, encode) {
            if !mismatch.intact {
                self.package = ByteQueue::default();
            }
            return Ok(Err(Mismatch {
                intact: true,
                ..mismatch
            }));
        }
        let package = self.package.take(usize::MAX).unwrap_or_default();
        self.note_size(len);
        self.context
            .write(
                &mut Pipe {
                    input: &[],
                    output: out,
                },
                Message::Binary(package),
            )
            .map_err(translate)?;
        Ok(Ok(()))
    }

    /// Queues a close frame.
    pub(super) fn close(&mut self, out: &mut ByteQueue) -> Result<(), TransportError> {
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: Default::default(),
        };
        self.context
            .close(
                &mut Pipe {
                    input: &[],
                    output: out,
                },
                Some(frame),
            )
            .map_err(translate)
    }

    /// Takes bytes from the peer, appends the payloads of its messages to `messages`, and queues
    /// what must be answered.
    pub(super) fn receive(
        &mut self,
        data: &[u8],
        out: &mut ByteQueue,
        messages: &mut VecDeque<Bytes>,
    ) -> Result<(), TransportError> {
        let mut frames = data;
        if let Some(upgrade) = &mut self.upgrade {
            let Some(behind) = upgrade.receive(data)? else {
                return Ok(());
            };
            frames = behind;
            self.upgrade = None;
            out.release();
        }
        while !self.peer_closed {
            let Some(piece) = self.repair.next(&mut frames) else {
                break;
            };
            self.read_messages(
                &mut Pipe {
                    input: piece,
                    output: out,
                },
                messages,
            )?;
        }
        self.rest_after_large_messages();
        Ok(())
    }

    /// Reads until the pipe is empty: only then are all pongs and the close reply written.
    fn read_messages(
        &mut self,
        pipe: &mut Pipe<'_>,
        messages: &mut VecDeque<Bytes>,
    ) -> Result<(), TransportError> {
        loop {
            let start = pipe.output.queued();
            let read = self.context.read(pipe);
            self.note_pong(start, pipe.output);
            match read {
                Ok(Message::Binary(bytes)) => self.deliver(bytes, messages),
                Ok(Message::Text(text)) => self.deliver(text.into(), messages),
                Ok(Message::Close(_)) => {
                    // Nothing may follow; reading on would take what does for an error.
                    self.peer_closed = true;
                    return self.context.flush(pipe).map_err(translate);
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(translate(error)),
            }
        }
    }

    /// Only the latest ping needs its pong (RFC 6455, section 5.5.3): a peer that pings and does not read
    /// shall not fill the memory.
    fn note_pong(&mut self, start: u64, out: &mut ByteQueue) {
        let end = out.queued();
        if end == start {
            return;
        }
        if out.unsent() > EVERY_PONG {
            let (earlier_start, earlier_end) = self.last_pong;
            out.withdraw(earlier_start, earlier_end);
        }
        self.last_pong = (start, end);
    }

    fn deliver(&mut self, payload: Bytes, messages: &mut VecDeque<Bytes>) {
        self.note_size(payload.len());
        if !payload.is_empty() {
            messages.push_back(payload);
        }
    }

    fn note_size(&mut self, len: usize) {
        if len > HUGE {
            self.chunks_until_rest = 1;
        } else if len > LARGE {
            self.chunks_until_rest = 2;
        }
    }

    /// tungstenite keeps buffers as large as the largest message of a connection's life. Between two
    /// messages it holds no other state, so a fresh context takes its place.
    fn rest_after_large_messages(&mut self) {
        match self.chunks_until_rest {
            0 => {}
            1 if self.repair.between_messages() && self.context.can_write() => {
                self.context = WebSocketContext::new(Role::Client, Some(self.config));
                self.chunks_until_rest = 0;
            }
            1 => {}
            _ => self.chunks_until_rest -= 1,
        }
    }
}

/// The stream under tungstenite: reads from what was received, writes to what will be sent.
struct Pipe<'a> {
    input: &'a [u8],
    output: &'a mut ByteQueue,
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn translate(error: Error) -> TransportError {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            TransportError::TooLarge {
                what: "message",
                size,
                limit: max_size,
            }
        }
        Error::ConnectionClosed | Error::AlreadyClosed => TransportError::Closed,
        error => TransportError::WebSocket {
            why: error.to_string(),
        },
    }
}
