//! The socket of a connection, with the faults that strike below every protocol.

use smol::io::{AsyncRead, AsyncWrite};
use smol::{Async, Timer};
use socket2::SockRef;
use std::future::Future;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

/// What goes wrong with the raw bytes of a connection. Counts are of raw bytes since accepting: with TLS those of its
/// records, with WebSocket the handshake too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFault {
    /// The service stops reading.
    StallReads,
    /// The service stops writing; what it has to say piles up.
    StallWrites,
    /// Half-open: the socket stays, everything is read and nothing written.
    Mute,
    /// The connection is closed once the service has sent this many bytes, in the middle of whatever it was.
    CutSent(u64),
    /// The connection is closed once the service has received this many bytes.
    CutReceived(u64),
    /// The connection is reset (RST) once the service has sent this many bytes more, in the middle of whatever it was.
    ResetAfter(u64),
    /// The service sends one byte at a time, with this pause after each.
    Trickle(Duration),
    /// The connection is closed now.
    Drop,
    /// The connection is reset (RST) now.
    Reset,
}

#[derive(Default)]
struct State {
    stall_reads: bool,
    stall_writes: bool,
    mute: bool,
    cut_sent: Option<u64>,
    cut_received: Option<u64>,
    /// What the cut of what is sent does: reset instead of close.
    cut_resets: bool,
    trickle: Option<Duration>,
    dead: bool,
    reset: bool,
    sent: u64,
    received: u64,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The state of one connection's wire; shared by the task that moves its bytes and by whoever asks for faults.
#[derive(Default)]
pub(crate) struct Wire {
    state: Mutex<State>,
}

impl Wire {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn strike(&self, fault: WireFault) {
        let mut state = self.lock();
        match fault {
            WireFault::StallReads => state.stall_reads = true,
            WireFault::StallWrites => state.stall_writes = true,
            WireFault::Mute => state.mute = true,
            WireFault::CutSent(bytes) => state.cut_sent = Some(bytes),
            WireFault::CutReceived(bytes) => state.cut_received = Some(bytes),
            WireFault::ResetAfter(bytes) => {
                state.cut_sent = Some(state.sent + bytes);
                state.cut_resets = true;
            }
            WireFault::Trickle(pause) => state.trickle = Some(pause),
            WireFault::Drop => state.dead = true,
            WireFault::Reset => {
                state.reset = true;
                state.dead = true;
            }
        }
        state.wake();
    }

    pub(crate) fn heal(&self) {
        let mut state = self.lock();
        state.stall_reads = false;
        state.stall_writes = false;
        state.mute = false;
        state.cut_sent = None;
        state.cut_received = None;
        state.cut_resets = false;
        state.trickle = None;
        state.wake();
    }

    /// Whether a fault ended the connection.
    pub(crate) fn is_cut(&self) -> bool {
        self.lock().dead
    }
}

impl State {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }

    /// How many of `wanted` bytes may pass before the cut; `None` when there the wire is cut.
    fn allowance(&mut self, cut: Option<u64>, done: u64, wanted: usize) -> Option<usize> {
        let left = cut.map_or(u64::MAX, |cut| cut.saturating_sub(done));
        if left == 0 {
            self.dead = true;
            return None;
        }
        Some(wanted.min(usize::try_from(left).unwrap_or(usize::MAX)))
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut by a fault")
}

/// The byte stream of a connection.
pub(crate) struct Socket {
    stream: Async<TcpStream>,
    wire: Arc<Wire>,
    /// The pause before the next byte that trickles.
    pause: Option<Timer>,
}

impl Socket {
    pub(crate) fn new(stream: Async<TcpStream>, wire: Arc<Wire>) -> Self {
        Self {
            stream,
            wire,
            pause: None,
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.wire.lock().reset {
            // Closing with nothing to linger for is what sends RST; a socket that is gone already cannot be reset.
            let _ = SockRef::from(self.stream.get_ref()).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let wire = Arc::clone(&self.wire);
        let mut state = wire.lock();
        state.reader = Some(cx.waker().clone());
        let (cut_at, done) = (state.cut_received, state.received);
        let allowed = state.allowance(cut_at, done, buf.len());
        let allowed = match allowed {
            Some(allowed) if !state.dead => allowed,
            _ => return Poll::Ready(Err(cut())),
        };
        if state.stall_reads {
            return Poll::Pending;
        }
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf[..allowed]))?;
        state.received += read as u64;
        if state.cut_received.is_some_and(|cut| state.received >= cut) {
            state.dead = true;
        }
        Poll::Ready(Ok(read))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            ready!(Pin::new(pause).poll(cx));
            self.pause = None;
        }
        let wire = Arc::clone(&self.wire);
        let mut state = wire.lock();
        state.writer = Some(cx.waker().clone());
        let (cut_at, done) = (state.cut_sent, state.sent);
        let wanted = state.trickle.map_or(buf.len(), |_| buf.len().min(1));
        let allowed = match state.allowance(cut_at, done, wanted) {
            Some(allowed) if !state.dead => allowed,
            _ => return Poll::Ready(Err(cut())),
        };
        if state.stall_writes {
            return Poll::Pending;
        }
        if state.mute {
            return Poll::Ready(Ok(buf.len()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..allowed]))?;
        state.sent += written as u64;
        self.pause = state.trickle.map(Timer::after);
        if state.cut_sent.is_some_and(|cut| state.sent >= cut) {
            state.dead = true;
            state.reset = state.cut_resets;
            // The reader is what notices the end even if nothing more is written.
            state.wake();
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.wire.lock().mute {
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(self.stream.get_ref().shutdown(Shutdown::Write))
    }
}
