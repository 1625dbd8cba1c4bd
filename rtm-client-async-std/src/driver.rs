//! The loop that moves bytes and time between async-io and the client.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant as StdInstant;

use async_io::Timer;
use async_net::TcpStream;
use bytes::{Buf, Bytes};
use futures::{AsyncRead, AsyncWrite};
use rtm_proto::handle::{Action, Driver, ReadBuffer};
use rtm_proto::{ConnId, Input, Instant, SocketEnd};

use crate::dial::dial;

/// Turns before other tasks get their chance.
const BUDGET: u32 = 32;

type Dial = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Drives a client until it is closed and its last handle is gone.
pub(crate) async fn drive(driver: Driver, epoch: StdInstant) {
    let mut state = Loop {
        driver,
        epoch,
        links: Vec::new(),
        inputs: Vec::new(),
        timer: Timer::never(),
        timer_at: None,
    };
    poll_fn(|cx| state.poll(cx)).await;
}

struct Loop {
    driver: Driver,
    epoch: StdInstant,
    links: Vec<Link>,
    inputs: Vec<Input>,
    timer: Timer,
    timer_at: Option<Instant>,
}

struct Link {
    conn: ConnId,
    socket: Socket,
}

enum Socket {
    Dialing(Dial),
    Open {
        stream: TcpStream,
        buffer: ReadBuffer,
        /// What is being written; empty when all of it is out.
        piece: Bytes,
    },
}

impl Loop {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..BUDGET {
            let turn = self.driver.turn(cx.waker(), self.inputs.drain(..));
            for action in turn.actions {
                self.act(action);
            }
            let more = self.poll_links(cx);
            if turn.finished && self.links.is_empty() {
                return Poll::Ready(());
            }
            if !more && self.poll_timer(turn.deadline, cx).is_pending() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Connect { conn, host, port } => self.links.push(Link {
                conn,
                socket: Socket::Dialing(Box::pin(dial(host, port))),
            }),
            Action::Disconnect { conn } => self.links.retain(|link| link.conn != conn),
        }
    }

    /// Moves what can be moved; tells whether another turn is due.
    fn poll_links(&mut self, cx: &mut Context<'_>) -> bool {
        let (driver, inputs) = (&mut self.driver, &mut self.inputs);
        let mut more = false;
        self.links.retain_mut(|link| {
            let ended = link.poll(driver, inputs, &mut more, cx);
            ended.is_continue()
        });
        more || !self.inputs.is_empty()
    }

    /// The clock is asked before the timer, which may be late under load.
    fn poll_timer(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        if deadline <= self.driver.now() {
            return Poll::Ready(());
        }
        if self.timer_at != Some(deadline) {
            self.timer_at = Some(deadline);
            self.timer.set_at(self.epoch + deadline.as_duration());
        }
        Pin::new(&mut self.timer)
            .poll(cx)
            .map(|_| self.timer_at = None)
    }
}

/// Whether a link is over.
type Flow = std::ops::ControlFlow<()>;

impl Link {
    /// Reads and writes without waiting. Both are always tried: a peer that
    /// waits for us to read must not keep us from it, nor the other way round.
    fn poll(
        &mut self,
        driver: &mut Driver,
        inputs: &mut Vec<Input>,
        more: &mut bool,
        cx: &mut Context<'_>,
    ) -> Flow {
        let conn = self.conn;
        match &mut self.socket {
            Socket::Dialing(dial) => match dial.as_mut().poll(cx) {
                Poll::Pending => Flow::Continue(()),
                Poll::Ready(Ok(stream)) => {
                    inputs.push(Input::Connected { conn });
                    self.socket = Socket::Open {
                        stream,
                        buffer: ReadBuffer::default(),
                        piece: Bytes::new(),
                    };
                    Flow::Continue(())
                }
                Poll::Ready(Err(error)) => {
                    let reason = error.to_string();
                    inputs.push(Input::ConnectFailed { conn, reason });
                    Flow::Break(())
                }
            },
            Socket::Open {
                stream,
                buffer,
                piece,
            } => {
                // What the peer said before it closed is worth more than the
                // error of a write that it no longer takes: read first.
                let received = read(stream, buffer, cx);
                let written = write(conn, driver, stream, piece, more, cx);
                let reason = match (received, written) {
                    (Ok(Some(data)), _) if data.is_empty() => SocketEnd::Eof,
                    (Ok(Some(data)), _) => {
                        inputs.push(Input::Received { conn, data });
                        return Flow::Continue(());
                    }
                    (Ok(None), Ok(())) => return Flow::Continue(()),
                    (Err(error), _) | (_, Err(error)) => SocketEnd::Failed(error.to_string()),
                };
                inputs.push(Input::Disconnected { conn, reason });
                Flow::Break(())
            }
        }
    }
}

/// Writes until the socket is full or nothing is left.
fn write(
    conn: ConnId,
    driver: &mut Driver,
    stream: &mut TcpStream,
    piece: &mut Bytes,
    more: &mut bool,
    cx: &mut Context<'_>,
) -> io::Result<()> {
    loop {
        if piece.is_empty() {
            // The last piece must be gone before its memory is used again.
            *piece = Bytes::new();
            let (next, due) = driver.transmit(conn);
            *more |= due;
            match next {
                Some(next) => *piece = next,
                None => return Ok(()),
            }
        }
        match Pin::new(&mut *stream).poll_write(cx, piece) {
            Poll::Ready(Ok(written)) => piece.advance(written),
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => return Ok(()),
        }
    }
}

/// Reads once; no bytes mean the end of the stream.
fn read(
    stream: &mut TcpStream,
    buffer: &mut ReadBuffer,
    cx: &mut Context<'_>,
) -> io::Result<Option<Bytes>> {
    let space = buffer.space();
    space.resize(space.capacity(), 0);
    match Pin::new(stream).poll_read(cx, space) {
        Poll::Ready(Ok(len)) => {
            space.truncate(len);
            Ok(Some(buffer.take()))
        }
        Poll::Ready(Err(error)) => Err(error),
        Poll::Pending => {
            space.clear();
            Ok(None)
        }
    }
}
