//! The loop that moves bytes and time between an async runtime and a client.
//!
//! It is here because it is the same for every runtime; what a runtime has to
//! offer is a [`Runtime`], and all I/O is done there.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use bytes::{Buf, Bytes};

use super::driver::{Action, Driver};
use super::read_buffer::ReadBuffer;
use super::tokens::TokenProvider;
use crate::client::{ConnId, Input, SocketEnd};
use crate::config::Token;
use crate::time::Instant;

/// Turns before other tasks get their chance.
const BUDGET: u32 = 32;

/// What an async runtime offers the loop: sockets and a timer.
pub trait Runtime: Send + 'static {
    /// A connected TCP socket.
    type Socket: Send;

    /// Looks up `host`, which may be an address, and connects to it; tries all
    /// its addresses. Sets `TCP_NODELAY`.
    fn dial(
        host: String,
        port: u16,
    ) -> impl Future<Output = io::Result<Self::Socket>> + Send + 'static;

    /// Reads once into `buffer`; no bytes mean the end of the stream.
    ///
    /// # Errors
    ///
    /// The socket has failed.
    fn poll_read(
        socket: &mut Self::Socket,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Poll<io::Result<Bytes>>;

    /// Writes some of `bytes`, and tells how many.
    ///
    /// # Errors
    ///
    /// The socket has failed.
    fn poll_write(
        socket: &mut Self::Socket,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>>;

    /// Ready at `deadline` or soon after it.
    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()>;

    /// Has the task polled again once the other tasks of its thread have had
    /// their chance.
    ///
    /// The default wakes it at once, which is right where an executor polls
    /// its tasks in turn. One that prefers woken tasks to the future it was
    /// started with has a way of its own.
    fn give_way(cx: &mut Context<'_>) {
        cx.waker().wake_by_ref();
    }
}

/// Drives a client until it is closed and its last handle is gone.
///
/// `tokens`, if any, is asked whenever the gate refuses the token; its futures
/// are polled by the loop, so they must not block.
pub async fn drive<R: Runtime>(driver: Driver, runtime: R, tokens: Option<TokenProvider>) {
    let mut state = Loop {
        driver,
        runtime,
        links: Vec::new(),
        inputs: Vec::new(),
        turn_is_due: true,
        deadline: None,
        finished: false,
        timer: None,
        tokens,
        fresh_token: None,
    };
    poll_fn(|cx| state.poll(cx)).await;
}

struct Loop<R: Runtime> {
    driver: Driver,
    runtime: R,
    links: Vec<Link<R>>,
    inputs: Vec<Input>,
    turn_is_due: bool,
    /// What the last turn told.
    deadline: Option<Instant>,
    finished: bool,
    /// When the runtime's timer fires, if it is set.
    timer: Option<Instant>,
    tokens: Option<TokenProvider>,
    /// The answer of the token provider, once it comes.
    fresh_token: Option<Pin<Box<dyn Future<Output = Option<Token>> + Send>>>,
}

struct Link<R: Runtime> {
    conn: ConnId,
    stage: Stage<R>,
}

enum Stage<R: Runtime> {
    Dialing(Pin<Box<dyn Future<Output = io::Result<R::Socket>> + Send>>),
    Open {
        socket: R::Socket,
        buffer: ReadBuffer,
        /// What is being written; empty when all of it is out.
        piece: Bytes,
    },
}

impl<R: Runtime> Loop<R> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut crowded = false;
        for _ in 0..BUDGET {
            // Nobody can take an event while this goes on on the same thread.
            if crowded {
                break;
            }
            if self.is_turn_due(cx) {
                crowded = self.turn(cx);
            }
            self.turn_is_due = self.poll_links(cx) | self.poll_token(cx);
            if self.finished && self.links.is_empty() {
                return Poll::Ready(());
            }
            if !self.turn_is_due {
                ready!(self.poll_timer(cx));
                self.turn_is_due = true;
            }
        }
        R::give_way(cx);
        Poll::Pending
    }

    /// Without a turn the sockets are looked at first, so that what woke the
    /// loop and what it brought share one.
    fn is_turn_due(&mut self, cx: &Context<'_>) -> bool {
        self.turn_is_due || self.driver.is_rung(cx.waker())
    }

    /// Takes a turn; tells whether the events wait in a crowd.
    fn turn(&mut self, cx: &Context<'_>) -> bool {
        let turn = self.driver.turn(cx.waker(), self.inputs.drain(..));
        for action in turn.actions {
            self.act(action);
        }
        if turn.token_wanted {
            self.fresh_token = self.tokens.as_ref().map(TokenProvider::ask);
        }
        self.deadline = turn.deadline;
        self.finished = turn.finished;
        turn.crowded
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Connect { conn, host, port } => self.links.push(Link {
                conn,
                stage: Stage::Dialing(Box::pin(R::dial(host, port))),
            }),
            Action::Disconnect { conn } => self.links.retain(|link| link.conn != conn),
        }
    }

    /// Moves what can be moved; tells whether another turn is due.
    fn poll_links(&mut self, cx: &mut Context<'_>) -> bool {
        let (driver, inputs) = (&mut self.driver, &mut self.inputs);
        let mut more = false;
        self.links
            .retain_mut(|link| link.poll(driver, inputs, &mut more, cx).is_continue());
        more || !self.inputs.is_empty()
    }

    fn poll_token(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(fresh) = &mut self.fresh_token else {
            return false;
        };
        let Poll::Ready(token) = fresh.as_mut().poll(cx) else {
            return false;
        };
        self.fresh_token = None;
        self.driver.token_provided(token);
        true
    }

    /// Ready once the deadline has passed.
    ///
    /// Deadlines mostly move on, with every call: the timer stays where it is,
    /// and is set again when it fires too early.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let mut set_to = self.timer.map_or(deadline, |at| at.min(deadline));
        loop {
            self.timer = Some(set_to);
            ready!(self.runtime.poll_timer(cx, set_to));
            self.timer = None;
            if set_to == deadline {
                return Poll::Ready(());
            }
            set_to = deadline;
        }
    }
}

impl<R: Runtime> Link<R> {
    /// Reads and writes without waiting; breaks when the link is over. Both
    /// are always tried: a peer that waits for us to read must not keep us
    /// from it, nor the other way round.
    fn poll(
        &mut self,
        driver: &mut Driver,
        inputs: &mut Vec<Input>,
        more: &mut bool,
        cx: &mut Context<'_>,
    ) -> ControlFlow<()> {
        let conn = self.conn;
        let (socket, buffer, piece) = match &mut self.stage {
            Stage::Dialing(dial) => {
                return match dial.as_mut().poll(cx) {
                    Poll::Pending => ControlFlow::Continue(()),
                    Poll::Ready(Ok(socket)) => {
                        inputs.push(Input::Connected { conn });
                        self.stage = Stage::Open {
                            socket,
                            buffer: ReadBuffer::default(),
                            piece: Bytes::new(),
                        };
                        ControlFlow::Continue(())
                    }
                    Poll::Ready(Err(error)) => {
                        let reason = error.to_string();
                        inputs.push(Input::ConnectFailed { conn, reason });
                        ControlFlow::Break(())
                    }
                };
            }
            Stage::Open {
                socket,
                buffer,
                piece,
            } => (socket, buffer, piece),
        };
        // What the peer said before it closed is worth more than the error of
        // a write that it no longer takes: read first.
        let received = R::poll_read(socket, cx, buffer);
        let written = write::<R>(conn, driver, socket, piece, more, cx);
        let reason = match (received, written) {
            (Poll::Ready(Ok(data)), _) if data.is_empty() => SocketEnd::Eof,
            (Poll::Ready(Ok(data)), _) => {
                inputs.push(Input::Received { conn, data });
                return ControlFlow::Continue(());
            }
            (Poll::Pending, Ok(())) => return ControlFlow::Continue(()),
            (Poll::Ready(Err(error)), _) | (_, Err(error)) => SocketEnd::Failed(error.to_string()),
        };
        inputs.push(Input::Disconnected { conn, reason });
        ControlFlow::Break(())
    }
}

/// Writes until the socket is full or nothing is left, or until it is time to
/// read again.
fn write<R: Runtime>(
    conn: ConnId,
    driver: &mut Driver,
    socket: &mut R::Socket,
    piece: &mut Bytes,
    more: &mut bool,
    cx: &mut Context<'_>,
) -> io::Result<()> {
    for _ in 0..BUDGET {
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
        match R::poll_write(socket, cx, piece) {
            Poll::Ready(Ok(written)) => piece.advance(written),
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => return Ok(()),
        }
    }
    *more = true;
    Ok(())
}
