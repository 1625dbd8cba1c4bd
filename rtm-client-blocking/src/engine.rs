//! What moves the bytes: one thread that keeps time, and one that reads for
//! each connection.
//!
//! Whoever has news pumps: the reader that received bytes, the caller whose
//! request is to be sent, the timer thread whose deadline has come. So a
//! request is written by the thread that makes it, and an answer wakes its
//! caller from the thread that read it; nobody stands between. A caller that is
//! alone even reads its answer itself, at the reader's [`Seat`].
//!
//! A thread that finds the pump held leaves its news and goes: whoever holds
//! it takes another turn. A reader first waits until that turn is over.
//! Otherwise one that reads faster than its news are dealt with would fill the
//! memory, and keep a caller that happens to pump from ever returning.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpStream;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Wake, Waker};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant as StdInstant};

use rtm_proto::handle::{Action, BlockingTokenProvider, Driver};
use rtm_proto::{ConnId, Input, Instant};

use crate::reader;
use crate::seat::Seat;
use crate::socket::{Socket, Writer, write_all};

/// Moves bytes and time for one client.
pub(crate) struct Engine {
    epoch: StdInstant,
    tokens: Option<BlockingTokenProvider>,
    pump: Mutex<Pump>,
    signal: Mutex<Signal>,
    /// Tells the timer thread that the signal has changed.
    changed: Condvar,
    /// Tells readers that what they reported was dealt with.
    handled: Condvar,
    pub(crate) seat: Seat,
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
    /// Inputs that were ever reported, and those of them that were dealt with.
    reported: u64,
    handled: u64,
    /// Readers that wait for that.
    waiting: usize,
    /// Another turn is due. Whoever holds the pump looks here after letting go
    /// of it, so a thread that finds it held may leave.
    again: bool,
    deadline: Option<Instant>,
    /// Threads that read from a connected socket.
    readers: usize,
    over: bool,
}

impl Signal {
    /// Adds an input; gives its number.
    fn report(&mut self, input: Input) -> u64 {
        self.inputs.push(input);
        self.reported += 1;
        self.reported
    }
}

/// Sees to it that all threads end if pumping panics.
struct Rescue<'a> {
    engine: &'a Arc<Engine>,
    /// The thread was panicking before: it pumps while it cleans up.
    panicking: bool,
}

impl Drop for Rescue<'_> {
    fn drop(&mut self) {
        if thread::panicking() && !self.panicking {
            // Its driver is gone, so that this closes everything.
            self.engine.pump();
        }
    }
}

/// Held by a thread that reads from a connected socket; the timer thread waits
/// for it to be gone.
pub(crate) struct Reading(Arc<Engine>);

impl Drop for Reading {
    fn drop(&mut self) {
        lock(&self.0.signal).readers -= 1;
        self.0.changed.notify_all();
    }
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
    ) -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let engine = Engine::new(driver, epoch, tokens);
        let timer = engine.clone();
        let name = thread::Builder::new().name("rtm-timer".into());
        let thread = name.spawn(move || {
            timer.pump();
            timer.keep_time();
        })?;
        Ok((engine, thread))
    }

    /// One without threads.
    pub(crate) fn new(
        driver: Driver,
        epoch: StdInstant,
        tokens: Option<BlockingTokenProvider>,
    ) -> Arc<Self> {
        Arc::new(Engine {
            epoch,
            tokens,
            pump: Mutex::new(Pump {
                driver: Some(driver),
                sockets: BTreeMap::new(),
            }),
            signal: Mutex::new(Signal::default()),
            changed: Condvar::new(),
            handled: Condvar::new(),
            seat: Seat::default(),
        })
    }

    fn now(&self) -> Instant {
        Instant::from_duration(self.epoch.elapsed())
    }

    /// Reports what happened, and waits until it was dealt with.
    pub(crate) fn report(self: &Arc<Self>, input: Input) {
        let number = lock(&self.signal).report(input);
        self.pump();
        let mut signal = lock(&self.signal);
        signal.waiting += 1;
        while signal.handled < number {
            let waited = self.handled.wait(signal);
            signal = waited.unwrap_or_else(PoisonError::into_inner);
        }
        signal.waiting -= 1;
    }

    /// Whether a socket of this name is still to be connected or read from.
    pub(crate) fn wants(self: &Arc<Self>, conn: ConnId) -> bool {
        let wants = lock(&self.pump).sockets.contains_key(&conn);
        // Others that wanted the pump meanwhile have left it to this thread.
        self.pump();
        wants
    }

    /// Takes over the writing side of a socket that was just connected, unless
    /// nobody wants it any more.
    pub(crate) fn connected(self: &Arc<Self>, conn: ConnId, stream: TcpStream) -> Option<Reading> {
        let mut pump = lock(&self.pump);
        let wanted = pump.sockets.get_mut(&conn).map(|socket| {
            *socket = Socket::Open(Writer::new(stream));
            lock(&self.signal).readers += 1;
            // From here on, so that it counts down also if pumping panics.
            Reading(self.clone())
        });
        drop(pump);
        if wanted.is_some() {
            self.report(Input::Connected { conn });
        } else {
            self.pump();
        }
        wanted
    }

    /// Forgets a socket that ended by itself, and reports how.
    pub(crate) fn ended(self: &Arc<Self>, conn: ConnId, input: Input) {
        let removed = lock(&self.pump).sockets.remove(&conn);
        // Others that wanted the pump meanwhile have left it to this thread.
        if removed.is_some() {
            self.report(input);
        } else {
            self.pump();
        }
    }

    /// Does whatever is due, unless another thread is at it already: that one
    /// then does it.
    fn pump(self: &Arc<Self>) {
        lock(&self.signal).again = true;
        let _rescue = Rescue {
            engine: self,
            panicking: thread::panicking(),
        };
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
        let reported = signal.reported;
        drop(signal);
        // It is put back at the end. If the turn panics it is dropped instead,
        // and every call ends.
        let Some(mut driver) = pump.driver.take() else {
            return self.close(pump);
        };
        let turn = driver.turn(&Waker::from(self.clone()), inputs);
        for action in turn.actions {
            self.act(&mut pump.sockets, action);
        }
        if turn.token_wanted {
            self.ask_for_token();
        }
        let (more, resume) = write_all(&mut driver, &mut pump.sockets);
        if turn.finished && pump.sockets.is_empty() {
            return self.close(pump);
        }
        pump.driver = Some(driver);
        let mut signal = lock(&self.signal);
        signal.again |= more;
        let deadline = turn.deadline.into_iter().chain(resume).min();
        let earlier = deadline.is_some_and(|at| signal.deadline.is_none_or(|old| at < old));
        signal.deadline = deadline;
        if earlier {
            self.changed.notify_all();
        }
        self.have_handled(signal, reported);
    }

    /// Asks the application for a token, on a thread of its own. Should that
    /// not start, the client stops waiting after its own limit.
    fn ask_for_token(self: &Arc<Self>) {
        let (engine, Some(tokens)) = (self.clone(), self.tokens.clone()) else {
            return;
        };
        let name = thread::Builder::new().name("rtm-token".into());
        let _ = name.spawn(move || {
            // A provider that panics has none.
            let asked = panic::catch_unwind(AssertUnwindSafe(|| tokens.ask()));
            let token = asked.unwrap_or_default();
            if let Some(driver) = &mut lock(&engine.pump).driver {
                driver.token_provided(token);
            }
            engine.pump();
        });
    }

    fn have_handled(&self, mut signal: MutexGuard<'_, Signal>, reported: u64) {
        signal.handled = reported;
        if signal.waiting > 0 {
            self.handled.notify_all();
        }
    }

    /// Ends all threads: the client is closed and nobody can log in again, or
    /// its driver has panicked.
    fn close(&self, pump: &mut Pump) {
        let sockets = core::mem::take(&mut pump.sockets);
        sockets.into_values().for_each(Socket::close);
        let mut signal = lock(&self.signal);
        signal.inputs.clear();
        signal.over = true;
        self.changed.notify_all();
        let reported = signal.reported;
        self.have_handled(signal, reported);
    }

    fn act(self: &Arc<Self>, sockets: &mut BTreeMap<ConnId, Socket>, action: Action) {
        match action {
            Action::Connect { conn, host, port } => {
                sockets.insert(conn, Socket::Dialing);
                if let Err(error) = reader::start(self.clone(), conn, host, port) {
                    sockets.remove(&conn);
                    let reason = error.to_string();
                    let mut signal = lock(&self.signal);
                    signal.report(Input::ConnectFailed { conn, reason });
                    signal.again = true;
                }
            }
            Action::Disconnect { conn } => {
                if let Some(socket) = sockets.remove(&conn) {
                    socket.close();
                }
            }
        }
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

#[cfg(test)]
mod tests;
