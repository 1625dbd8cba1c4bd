//! What moves the bytes: one thread that keeps time, and one that reads for
//! each connection.
//!
//! Whoever has news pumps: the reader that received bytes, the caller whose
//! request is to be sent, the timer thread whose deadline has come. So a
//! request is written by the thread that makes it, and an answer wakes its
//! caller from the thread that read it; nobody stands between.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Wake, Waker};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant as StdInstant};

use bytes::{Buf, Bytes};
use rtm_proto::handle::{Action, BlockingTokenProvider, Driver};
use rtm_proto::{ConnId, Input, Instant};

use crate::reader;

/// How long a write may wait for a peer that does not read; the kernel rounds
/// it up to its tick.
pub(crate) const WRITE_PATIENCE: Duration = Duration::from_millis(5);
/// How long such a peer is then left alone, so that timers, reading and other
/// connections get their turn.
const WRITE_PAUSE: Duration = Duration::from_millis(10);

/// Moves bytes and time for one client.
pub(crate) struct Engine {
    epoch: StdInstant,
    tokens: Option<BlockingTokenProvider>,
    pump: Mutex<Pump>,
    signal: Mutex<Signal>,
    /// Tells the timer thread that the signal has changed.
    changed: Condvar,
}

/// What pumping needs; held by the one thread that pumps.
struct Pump {
    /// Gone once the client is closed and its last handle dropped.
    driver: Option<Driver>,
    sockets: BTreeMap<ConnId, Socket>,
}

/// What threads tell each other without waiting for the pump.
#[derive(Default)]
struct Signal {
    inputs: Vec<Input>,
    /// Another turn is due. Whoever holds the pump looks here after letting go
    /// of it, so a thread that finds it held may leave.
    again: bool,
    deadline: Option<Instant>,
    /// Threads that read from a connected socket.
    readers: usize,
    over: bool,
}

/// A connection as the writing side sees it.
enum Socket {
    /// Its thread is connecting it.
    Dialing,
    Open {
        stream: TcpStream,
        /// What is being written; empty when all of it is out.
        piece: Bytes,
        /// When to try again after the peer took less than it was given.
        resume: Option<Instant>,
        /// Writing failed. The reader will find out too, and what it has read
        /// by then is worth more than this error.
        broken: bool,
    },
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Starts the timer thread, which ends when all is over.
    pub(crate) fn start(
        driver: Driver,
        epoch: StdInstant,
        tokens: Option<BlockingTokenProvider>,
    ) -> io::Result<JoinHandle<()>> {
        let engine = Arc::new(Engine {
            epoch,
            tokens,
            pump: Mutex::new(Pump {
                driver: Some(driver),
                sockets: BTreeMap::new(),
            }),
            signal: Mutex::new(Signal::default()),
            changed: Condvar::new(),
        });
        let name = thread::Builder::new().name("rtm-timer".into());
        name.spawn(move || {
            engine.pump();
            engine.keep_time();
        })
    }

    fn now(&self) -> Instant {
        Instant::from_duration(self.epoch.elapsed())
    }

    /// Reports what happened.
    pub(crate) fn report(self: &Arc<Self>, input: Input) {
        lock(&self.signal).inputs.push(input);
        self.pump();
    }

    /// Takes over the writing side of a socket that was just connected, unless
    /// nobody wants it any more.
    pub(crate) fn connected(self: &Arc<Self>, conn: ConnId, stream: TcpStream) -> bool {
        let mut pump = lock(&self.pump);
        let Some(socket) = pump.sockets.get_mut(&conn) else {
            return false;
        };
        *socket = Socket::Open {
            stream,
            piece: Bytes::new(),
            resume: None,
            broken: false,
        };
        lock(&self.signal).readers += 1;
        drop(pump);
        self.report(Input::Connected { conn });
        true
    }

    /// Forgets a socket that ended by itself, and reports how.
    pub(crate) fn ended(self: &Arc<Self>, conn: ConnId, input: Input) {
        let removed = lock(&self.pump).sockets.remove(&conn);
        if removed.is_some() {
            self.report(input);
        } else {
            // The pump may have been held when somebody else wanted it.
            self.pump();
        }
    }

    /// A thread that read from a connected socket is about to end.
    pub(crate) fn reader_done(&self) {
        lock(&self.signal).readers -= 1;
        self.changed.notify_all();
    }

    /// Does whatever is due, unless another thread is at it already: that one
    /// then does it.
    fn pump(self: &Arc<Self>) {
        lock(&self.signal).again = true;
        loop {
            let mut pump = match self.pump.try_lock() {
                Ok(pump) => pump,
                Err(TryLockError::Poisoned(pump)) => pump.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            self.turn(&mut pump);
            drop(pump);
            if !lock(&self.signal).again {
                return;
            }
        }
    }

    fn turn(self: &Arc<Self>, pump: &mut Pump) {
        let mut signal = lock(&self.signal);
        signal.again = false;
        let inputs = core::mem::take(&mut signal.inputs);
        drop(signal);
        let Some(driver) = &mut pump.driver else {
            return;
        };
        let turn = driver.turn(&Waker::from(self.clone()), inputs);
        for action in turn.actions {
            self.act(&mut pump.sockets, action);
        }
        if turn.token_wanted {
            self.ask_for_token();
        }
        let now = self.now();
        let more = write_all(driver, &mut pump.sockets, now);
        let resume = pump.sockets.values().filter_map(Socket::resume).min();
        let finished = turn.finished && pump.sockets.is_empty();
        if finished {
            pump.driver = None;
        }
        let mut signal = lock(&self.signal);
        signal.again |= more;
        signal.over = finished;
        let deadline = turn.deadline.into_iter().chain(resume).min();
        let earlier = deadline.is_some_and(|at| signal.deadline.is_none_or(|old| at < old));
        signal.deadline = deadline;
        if finished || earlier {
            self.changed.notify_all();
        }
    }

    fn act(self: &Arc<Self>, sockets: &mut BTreeMap<ConnId, Socket>, action: Action) {
        match action {
            Action::Connect { conn, host, port } => {
                sockets.insert(conn, Socket::Dialing);
                if let Err(error) = reader::start(self.clone(), conn, host, port) {
                    sockets.remove(&conn);
                    let reason = error.to_string();
                    let mut signal = lock(&self.signal);
                    signal.inputs.push(Input::ConnectFailed { conn, reason });
                    signal.again = true;
                }
            }
            Action::Disconnect { conn } => {
                if let Some(Socket::Open { stream, .. }) = sockets.remove(&conn) {
                    // Frees the reader; should it fail, the socket is gone
                    // already, and so is the reader.
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
        }
    }

    /// Asks the application for a token, on a thread of its own. Should that
    /// not start, the client stops waiting after its own limit.
    fn ask_for_token(self: &Arc<Self>) {
        let (engine, Some(tokens)) = (self.clone(), self.tokens.clone()) else {
            return;
        };
        let name = thread::Builder::new().name("rtm-token".into());
        let _ = name.spawn(move || {
            let token = tokens.ask();
            if let Some(driver) = &mut lock(&engine.pump).driver {
                driver.token_provided(token);
            }
            engine.pump();
        });
    }

    /// The timer thread: pumps at each deadline until all is over and no
    /// thread is left that reads.
    fn keep_time(self: &Arc<Self>) {
        let mut signal = lock(&self.signal);
        while !signal.over || signal.readers > 0 {
            let wait = match signal.deadline {
                Some(deadline) if !signal.over => Some(deadline - self.now()),
                _ => None,
            };
            signal = match wait {
                Some(Duration::ZERO) => {
                    // Pumping sets the next one.
                    signal.deadline = None;
                    drop(signal);
                    self.pump();
                    lock(&self.signal)
                }
                Some(wait) => {
                    let waited = self.changed.wait_timeout(signal, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(signal);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

/// The doorbell: the thread that rings it pumps.
impl Wake for Engine {
    fn wake(self: Arc<Self>) {
        self.pump();
    }
}

impl Socket {
    fn resume(&self) -> Option<Instant> {
        match self {
            Socket::Open { resume, .. } => *resume,
            Socket::Dialing => None,
        }
    }
}

/// Writes to every socket what there is for it; tells whether the driver has
/// something new to say because of it.
fn write_all(driver: &mut Driver, sockets: &mut BTreeMap<ConnId, Socket>, now: Instant) -> bool {
    let mut more = false;
    for (conn, socket) in sockets {
        let Socket::Open {
            stream,
            piece,
            resume,
            broken,
        } = socket
        else {
            continue;
        };
        if *broken || resume.is_some_and(|at| at > now) {
            continue;
        }
        *resume = None;
        while let Some(written) = write_piece(*conn, driver, stream, piece, &mut more) {
            match written {
                Ok(()) => {}
                Err(error) if is_patience(&error) => {
                    *resume = Some(now + WRITE_PATIENCE + WRITE_PAUSE);
                    break;
                }
                Err(_) => {
                    *broken = true;
                    break;
                }
            }
        }
    }
    more
}

/// Writes once; `None` when there is nothing to write.
fn write_piece(
    conn: ConnId,
    driver: &mut Driver,
    stream: &mut TcpStream,
    piece: &mut Bytes,
    more: &mut bool,
) -> Option<io::Result<()>> {
    if piece.is_empty() {
        // The last piece must be gone before its memory is used again.
        *piece = Bytes::new();
        let (next, due) = driver.transmit(conn);
        *more |= due;
        *piece = next?;
    }
    Some(match stream.write(piece) {
        Ok(written) => {
            piece.advance(written);
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
        Err(error) => Err(error),
    })
}

/// Whether the time limit of a write or read has passed.
fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
