//! Lets a thread that waits for an answer read it itself.
//!
//! A reader that wakes its caller costs a change of threads, which takes about
//! as long as a round trip in a local network. So after a quick answer to the
//! only caller, the reader offers its place at the socket: the next caller that
//! is alone reads in its stead, until the reader sees the place unused and
//! takes it again. Slower answers and several callers leave everything to the
//! reader.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtm_proto::error::RequestError;
use rtm_proto::handle::{Call, ReadBuffer};
use rtm_proto::{ConnId, Input, Request, SocketEnd};

use crate::block;
use crate::engine::Engine;

/// An answer that comes within this time is quick.
const QUICK: Duration = Duration::from_millis(1);
/// How long a place stays unused before the reader takes it again: for once or
/// twice as long nobody reads what the service pushes.
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
    // `TimedOut` would be the connection's own death.
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock)
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
    /// Whether anybody waits who could not read: another reads, or it may not.
    fn somebody_cannot_read(&self) -> bool {
        self.callers > usize::from(self.began.is_some())
    }

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
        // On Windows a socket is of no more use once a read has timed out.
        if cfg!(windows) {
            return false;
        }
        let state = self.lock();
        state.callers == 1 && state.began.is_some_and(|began| began.elapsed() < QUICK)
    }

    /// Offers a place; returns when the reader has it again.
    ///
    /// # Errors
    ///
    /// The socket has ended meanwhile.
    pub(crate) fn offer(&self, place: Place) -> Result<Place, SocketEnd> {
        let mut state = self.lock();
        // Another connection of the client may have been first, or somebody has
        // come who would have to wait.
        let is_wanted = matches!(state.offer, Offer::None) && !state.somebody_cannot_read();
        if !is_wanted || place.stream.set_read_timeout(Some(PATIENCE)).is_err() {
            return Ok(place);
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
    pub(crate) fn wait<R: Request>(
        engine: &Arc<Engine>,
        mut call: Call<R>,
        may_read: bool,
    ) -> Result<R::Response, RequestError> {
        Self::wait_for_end(engine, may_read, |cx| call.poll_end(cx));
        // Up again first: decoding takes as long as the application likes.
        block::wait(call)
    }

    fn wait_for_end(
        engine: &Arc<Engine>,
        mut may_read: bool,
        mut poll_end: impl FnMut(&mut Context<'_>) -> Poll<()>,
    ) {
        let caller = Caller::enter(&engine.seat, may_read);
        let waker = block::waker();
        let mut cx = Context::from_waker(&waker);
        // This sends the request, which takes its time too.
        if poll_end(&mut cx).is_ready() {
            return;
        }
        loop {
            // Down first, then a look: what was read before was dealt with, and
            // from here on nobody else reads.
            let sitting = may_read.then(|| caller.sit_down()).flatten();
            if poll_end(&mut cx).is_ready() {
                return;
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
        state.began = (state.callers == 1 && may_read).then(Instant::now);
        if state.somebody_cannot_read() && state.give_back() {
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
                    leaves: Offer::Free(place),
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
    /// What is left behind: the place itself, or what became of it.
    leaves: Offer,
}

impl Sitting<'_> {
    /// Reads once and reports it; tells whether to go on like this.
    fn read(mut self, engine: &Arc<Engine>) -> bool {
        let Offer::Free(mut place) = std::mem::take(&mut self.leaves) else {
            return false;
        };
        let (read, conn) = (place.read(), place.conn);
        let (leaves, data) = match read {
            Ok(Some(data)) => (Offer::Free(place), Some(data)),
            Ok(None) => (Offer::Back(place), None),
            Err(end) => (Offer::Ended(end), None),
        };
        self.leaves = leaves;
        match data {
            Some(data) => {
                engine.report(Input::Received { conn, data });
                true
            }
            None => false,
        }
    }
}

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        let mut state = self.seat.lock();
        state.offer = std::mem::take(&mut self.leaves);
        if state.callers > 1 || thread::panicking() {
            state.give_back();
        }
        let at_once = !matches!(state.offer, Offer::Free(_));
        if at_once || state.awaited {
            self.seat.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests;
