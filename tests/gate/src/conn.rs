use crate::outbox::Outbox;
use crate::seen::Ended;
use crate::wire::{package, websocket};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Numbers of pushes, of all connections of the process together, as the public C++ server counts them.
static PUSH_SEQ: AtomicU32 = AtomicU32::new(1);

/// How a push goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// msgpack, to be answered.
    TwoWay,
    /// msgpack, not to be answered.
    OneWay,
    /// JSON, to be answered.
    Json,
}

/// One connection, as seen by everybody but the task that moves its bytes.
pub(crate) struct Conn {
    /// Counts from 1 in the order of accepting.
    pub(crate) number: u64,
    pub(crate) tls: bool,
    pub(crate) peer: SocketAddr,
    pub(crate) outbox: Outbox,
    websocket: AtomicBool,
    state: Mutex<State>,
}

struct State {
    last_traffic: Instant,
    /// When the next RTM `ping` is due; `None` before login.
    ping_due: Option<Instant>,
    pushes: HashMap<u32, String>,
    push_limits: VecDeque<(Instant, u32)>,
}

/// What time has brought about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) idle: bool,
    pub(crate) ping: bool,
    pub(crate) failed_pushes: u64,
}

/// The intervals of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) idle: Duration,
    pub(crate) ping: Duration,
    pub(crate) push: Duration,
}

impl Conn {
    pub(crate) fn new(number: u64, tls: bool, peer: SocketAddr) -> Self {
        Self {
            number,
            tls,
            peer,
            outbox: Outbox::default(),
            websocket: AtomicBool::new(false),
            state: Mutex::new(State {
                last_traffic: Instant::now(),
                ping_due: None,
                pushes: HashMap::new(),
                push_limits: VecDeque::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn touch(&self) {
        self.lock().last_traffic = Instant::now();
    }

    pub(crate) fn set_websocket(&self) {
        self.websocket.store(true, Ordering::Relaxed);
    }

    /// Sends bytes as one message, whatever they are; on a byte stream as they are.
    pub(crate) fn send(&self, bytes: Vec<u8>, defect: bool) {
        self.touch();
        if self.websocket.load(Ordering::Relaxed) {
            let mut framed = Vec::with_capacity(bytes.len() + 10);
            websocket::write_frame(&mut framed, &bytes, defect);
            self.outbox.push(framed);
        } else {
            self.outbox.push(bytes);
        }
    }

    /// Sends a push around an encoded payload; with `limit` a two-way one.
    pub(crate) fn push(
        &self,
        flag: u8,
        method: &str,
        payload: &[u8],
        limit: Option<Duration>,
        defect: bool,
    ) {
        let seq = limit.map(|limit| {
            let seq = PUSH_SEQ.fetch_add(1, Ordering::Relaxed);
            let mut state = self.lock();
            state.pushes.insert(seq, method.to_owned());
            state.push_limits.push_back((Instant::now() + limit, seq));
            seq
        });
        self.send(package::quest(flag, seq, method, payload), defect);
    }

    /// The method of the push that this number belongs to, which with that is answered.
    pub(crate) fn answered(&self, seq: u32) -> Option<String> {
        let mut state = self.lock();
        let method = state.pushes.remove(&seq);
        while let Some((_, oldest)) = state.push_limits.front() {
            if state.pushes.contains_key(oldest) {
                break;
            }
            state.push_limits.pop_front();
        }
        method
    }

    /// The method of the push that this number belongs to; it stays unanswered.
    pub(crate) fn peek_push(&self, seq: u32) -> Option<String> {
        self.lock().pushes.get(&seq).cloned()
    }

    pub(crate) fn start_pings(&self, interval: Duration) {
        self.lock().ping_due = Some(Instant::now() + interval);
    }

    pub(crate) fn stop_pings(&self) {
        self.lock().ping_due = None;
    }

    /// Pushes that nobody will answer any more.
    pub(crate) fn give_up_pushes(&self) -> u64 {
        let mut state = self.lock();
        state.push_limits.clear();
        state.pushes.drain().count() as u64
    }

    /// What is due now, and when to look again.
    pub(crate) fn due(&self, times: &Times) -> (Due, Instant) {
        let now = Instant::now();
        let mut due = Due::default();
        let mut state = self.lock();
        let idle_at = state.last_traffic + times.idle;
        due.idle = idle_at <= now;
        // A push sent while this one sleeps is not due before `times.push` from now, a first ping not before
        // `times.ping`.
        let mut next = idle_at.min(now + times.push).min(now + times.ping);
        if let Some(at) = state.ping_due {
            due.ping = at <= now;
            if due.ping {
                state.ping_due = Some(now + times.ping);
            } else {
                next = next.min(at);
            }
        }
        while let Some(&(limit, seq)) = state.push_limits.front() {
            if limit > now && state.pushes.contains_key(&seq) {
                next = next.min(limit);
                break;
            }
            state.push_limits.pop_front();
            due.failed_pushes += u64::from(state.pushes.remove(&seq).is_some());
        }
        (due, next)
    }

    pub(crate) fn finish(&self, reason: Ended) {
        self.outbox.finish(reason);
    }
}
