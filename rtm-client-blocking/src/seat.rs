//! Lets a thread that waits for an answer read it itself.
//!
//! A reader that wakes its caller costs a change of threads, which takes about
//! as long as a round trip in a local network. So after a quick answer to the
//! only caller, the reader offers its place at the socket: the next caller that
//! is alone reads in its stead, until the reader sees the place unused and
//! takes it again. Slower answers and several callers leave everything to the
//! reader.

use std::future::Future;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtm_proto::handle::ReadBuffer;
use rtm_proto::{ConnId, Input, SocketEnd};

use crate::block;
use crate::engine::Engine;

/// An answer that comes within this time is quick.
const QUICK: Duration = Duration::from_millis(1);
/// How long a place stays unused before the reader takes it again. Until then
/// nobody reads what the service pushes: at most twice as long.
const GRACE: Duration = Duration::from_micros(200);
/// How long a caller reads in vain before it leaves the place for good. The
/// kernel rounds it up to its tick.
const PATIENCE: Duration = Duration::from_millis(4);
/// A call with a shorter time limit does not read, lest it end late.
pub(crate) const SHORTEST_LIMIT: Duration = Duration::from_millis(100);

/// The reading side of a connection.
pub(crate) struct Place {
    conn: ConnId,
    stream: TcpStream,
    buffer: ReadBuffer,
}

impl Place {
    pub(crate) fn new(conn: ConnId, stream: TcpStream) -> Self {
        let buffer = ReadBuffer::default();
        Place {
            conn,
            stream,
            buffer,
        }
    }

    /// Reads once; `None` if there is nothing in time.
    ///
    /// # Errors
    ///
    /// The socket has ended.
    pub(crate) fn read(&mut self) -> Result<Option<Bytes>, SocketEnd> {
        let space = self.buffer.space();
        space.resize(space.capacity(), 0);
        let read = self.stream.read(space);
        space.truncate(read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => Err(SocketEnd::Eof),
            Ok(_) => Ok(Some(self.buffer.take())),
            Err(error) if is_in_vain(&error) => Ok(None),
            Err(error) => Err(SocketEnd::Failed(error.to_string())),
        }
    }
}

fn is_in_vain(error: &io::Error) -> bool {
    match error.kind() {
        ErrorKind::Interrupted | ErrorKind::WouldBlock => true,
        // Elsewhere it tells that the connection is dead.
        ErrorKind::TimedOut => cfg!(windows),
        _ => false,
    }
}

/// Where callers and readers of a client meet.
#[derive(Default)]
pub(crate) struct Seat {
    state: Mutex<State>,
    /// Tells the reader that offered its place to look again.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Threads that wait for an answer.
    callers: usize,
    /// When the last of them began, if it was alone then and may read.
    began: Option<Instant>,
    /// That one, while it is parked because the reader sat there.
    parked: Option<Thread>,
    offer: Offer,
    /// Somebody sat there since the reader last looked.
    used: bool,
    /// The reader waits for the place to be free.
    awaited: bool,
}

#[derive(Default)]
enum Offer {
    #[default]
    None,
    Free(Place),
    Taken,
    /// The reader is to sit down again at once.
    Back(Place),
    Ended(SocketEnd),
}

impl State {
    /// Gives a free place back to its reader, who looks when notified; tells
    /// whether there was one.
    fn give_back(&mut self) -> bool {
        let (offer, was_free) = match std::mem::take(&mut self.offer) {
            Offer::Free(place) => (Offer::Back(place), true),
            other => (other, false),
        };
        self.offer = offer;
        was_free
    }
}

impl Seat {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what was just read may be the quick answer to the only caller,
    /// and that one may read itself the next time.
    pub(crate) fn is_quick(&self) -> bool {
        let state = self.lock();
        state.callers == 1 && state.began.is_some_and(|began| began.elapsed() < QUICK)
    }

    /// Offers a place; returns when the reader has it again.
    ///
    /// # Errors
    ///
    /// The socket has ended meanwhile.
    pub(crate) fn offer(&self, place: Place) -> Result<Place, SocketEnd> {
        if place.stream.set_read_timeout(Some(PATIENCE)).is_err() {
            return Ok(place);
        }
        let mut state = self.lock();
        // Another connection of the client may have been first.
        if !matches!(state.offer, Offer::None) {
            drop(state);
            return Ok(unlimited(place));
        }
        state.offer = Offer::Free(place);
        // What was read may not have been its answer.
        if let Some(caller) = state.parked.take() {
            caller.unpark();
        }
        self.wait_for_place(state).map(unlimited)
    }

    fn wait_for_place(&self, mut state: MutexGuard<'_, State>) -> Result<Place, SocketEnd> {
        let mut is_idle = false;
        loop {
            match std::mem::take(&mut state.offer) {
                Offer::Back(place) => return Ok(place),
                Offer::Free(place) if is_idle => return Ok(place),
                Offer::Ended(end) => return Err(end),
                other => state.offer = other,
            }
            if matches!(state.offer, Offer::Free(_)) {
                state.used = false;
                let waited = self.changed.wait_timeout(state, GRACE);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                is_idle = !state.used;
            } else {
                state.awaited = true;
                let waited = self.changed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
                state.awaited = false;
                is_idle = false;
            }
        }
    }

    /// Waits for the answer to a call; `may_read` says whether this thread may
    /// read it itself.
    pub(crate) fn wait<F: Future + Unpin>(
        engine: &Arc<Engine>,
        mut call: F,
        mut may_read: bool,
    ) -> F::Output {
        let caller = Caller::enter(&engine.seat, may_read);
        let waker = block::waker();
        let mut cx = Context::from_waker(&waker);
        loop {
            // Down first, then a look: what was read before was dealt with, and
            // from here on nobody else reads.
            let sitting = may_read.then(|| caller.sit_down()).flatten();
            if let Poll::Ready(output) = Pin::new(&mut call).poll(&mut cx) {
                return output;
            }
            match sitting {
                Some(sitting) => may_read = sitting.read(engine),
                None => thread::park(),
            }
        }
    }
}

/// The reader waits as long as it takes.
fn unlimited(place: Place) -> Place {
    // Should it fail, as on a socket that was shut down, then reading tells.
    let _ = place.stream.set_read_timeout(None);
    place
}

/// A thread that waits for an answer.
struct Caller<'a>(&'a Seat);

impl<'a> Caller<'a> {
    fn enter(seat: &'a Seat, may_read: bool) -> Self {
        let mut state = seat.lock();
        state.callers += 1;
        let reads = state.callers == 1 && may_read;
        state.began = reads.then(Instant::now);
        if !reads && state.give_back() {
            // Nobody would read until the reader finds that out.
            seat.changed.notify_all();
        }
        Caller(seat)
    }

    /// Takes the place at the socket, if it is free and nobody else waits for
    /// an answer. Otherwise this thread is to be parked.
    fn sit_down(&self) -> Option<Sitting<'a>> {
        let mut state = self.0.lock();
        if state.callers > 1 {
            return None;
        }
        match std::mem::replace(&mut state.offer, Offer::Taken) {
            Offer::Free(place) => {
                state.used = true;
                Some(Sitting {
                    seat: self.0,
                    place: Some(place),
                    left: Left::Free,
                })
            }
            other => {
                state.offer = other;
                state.parked = Some(thread::current());
                None
            }
        }
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.callers -= 1;
        state.parked = None;
    }
}

/// A caller that reads. However it stops, the reader gets its place again.
struct Sitting<'a> {
    seat: &'a Seat,
    place: Option<Place>,
    left: Left,
}

/// How a caller leaves the place.
enum Left {
    Free,
    /// To the reader at once.
    InVain,
    Ended(SocketEnd),
}

impl Sitting<'_> {
    /// Reads once and reports it; tells whether to go on like this.
    fn read(mut self, engine: &Arc<Engine>) -> bool {
        let Some(place) = &mut self.place else {
            return false;
        };
        let conn = place.conn;
        match place.read() {
            Ok(Some(data)) => {
                engine.report(Input::Received { conn, data });
                true
            }
            Ok(None) => {
                self.left = Left::InVain;
                false
            }
            Err(end) => {
                self.left = Left::Ended(end);
                false
            }
        }
    }
}

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        let mut state = self.seat.lock();
        let left = std::mem::replace(&mut self.left, Left::Free);
        let others_wait = state.callers > 1;
        state.offer = match (left, self.place.take()) {
            (Left::Ended(end), _) => Offer::Ended(end),
            (Left::Free, Some(place)) if !others_wait && !thread::panicking() => Offer::Free(place),
            (_, Some(place)) => Offer::Back(place),
            (_, None) => Offer::None,
        };
        let at_once = !matches!(state.offer, Offer::Free(_));
        if at_once || state.awaited {
            self.seat.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests;
