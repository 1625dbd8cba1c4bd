//! The record of what the service received, for tests to count and compare.

use crate::wire::{Encoding, Value};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Records of each sort that are kept; older ones are forgotten.
const MAX_RECORDS: usize = 65_536;
/// Bytes of payloads that are kept.
const MAX_WEIGHT: usize = 64 << 20;

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Packages on plain TCP; also a connection that has not said yet what it speaks.
    Tcp,
    /// WebSocket on plain TCP.
    Ws,
    /// Packages behind TLS; also a connection that has not said yet what it speaks.
    Tls,
    /// WebSocket behind TLS.
    Wss,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The peer closed it, or it broke.
    Peer,
    /// The peer sent what nobody may send; the text names it.
    Malformed(&'static str),
    /// Nothing went either way for longer than the idle limit.
    Idle,
    /// It asked for a file over HTTP and got its response.
    Served,
    /// The session was ended by a kickout.
    Kicked,
    /// A fault that was asked for.
    Fault,
    /// The peer did not read what was sent to it.
    NotReading,
    /// The service was stopped.
    Stopped,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Counts from 1 in the order of accepting.
    pub number: u64,
    /// What it speaks, as far as it is known.
    pub transport: Transport,
    /// The user, once logged in; stays after the end.
    pub user: Option<i64>,
    /// `None` while it is open.
    pub ended: Option<Ended>,
}

/// A quest that came in.
#[derive(Clone, Debug)]
pub struct Quest {
    /// [`Connection::number`] of where it came in.
    pub connection: u64,
    /// The method.
    pub method: String,
    /// `None` for a one-way quest.
    pub seq: Option<u32>,
    /// How the payload was written.
    pub encoding: Encoding,
    /// The payload.
    pub payload: Value,
    /// When it was read.
    pub at: Instant,
}

/// An answer of a client to a push.
#[derive(Clone, Debug)]
pub struct PushAnswer {
    /// [`Connection::number`] of where it came in.
    pub connection: u64,
    /// The method of the push; empty when no push had this number.
    pub method: String,
    /// The sequence number.
    pub seq: u32,
    /// 0 is success.
    pub status: u8,
    /// How the payload was written.
    pub encoding: Encoding,
    /// The payload.
    pub payload: Value,
    /// When it was read.
    pub at: Instant,
}

/// Everything that was received since the start or since [`forget_seen`](crate::Gate::forget_seen).
///
/// Bounded: of connections, quests and answers the latest 65 536 each are kept, of payloads 64 MiB together. The
/// counters count on.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Connections in the order of accepting.
    pub connections: VecDeque<Connection>,
    /// Quests in the order of arrival.
    pub quests: VecDeque<Quest>,
    /// Answers to pushes in the order of arrival.
    pub answers: VecDeque<PushAnswer>,
    /// Two-way pushes sent.
    pub pushes_sent: u64,
    /// Two-way pushes answered, whatever the status.
    pub pushes_answered: u64,
    /// Two-way pushes not answered in time, or not before the connection ended.
    pub pushes_failed: u64,
    weight: usize,
}

impl Seen {
    /// How many quests of this method are on record.
    pub fn count(&self, method: &str) -> usize {
        self.quests_of(method).count()
    }

    /// The quests of this method, in the order of arrival.
    pub fn quests_of(&self, method: &str) -> impl Iterator<Item = &Quest> {
        self.quests.iter().filter(move |q| q.method == method)
    }

    /// The answers to pushes of this method, in the order of arrival.
    pub fn answers_of(&self, method: &str) -> impl Iterator<Item = &PushAnswer> {
        self.answers.iter().filter(move |a| a.method == method)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.connections
            .iter()
            .filter(|c| c.ended.is_none())
            .count()
    }

    /// The connection of this number, if it is on record.
    pub fn connection(&self, number: u64) -> Option<&Connection> {
        self.connections.iter().find(|c| c.number == number)
    }

    fn connection_mut(&mut self, number: u64) -> Option<&mut Connection> {
        self.connections
            .iter_mut()
            .rev()
            .find(|c| c.number == number)
    }

    fn trim(&mut self) {
        while self.quests.len() > MAX_RECORDS || self.weight > MAX_WEIGHT {
            let Some(oldest) = self.quests.pop_front() else {
                break;
            };
            self.weight -= oldest.payload.weight();
        }
        while self.answers.len() > MAX_RECORDS || self.weight > MAX_WEIGHT {
            let Some(oldest) = self.answers.pop_front() else {
                break;
            };
            self.weight -= oldest.payload.weight();
        }
        while self.connections.len() > MAX_RECORDS {
            self.connections.pop_front();
        }
    }
}

/// Guards [`Seen`] and wakes whoever waits for a change of it.
#[derive(Debug)]
pub(crate) struct Recorder {
    seen: Mutex<Seen>,
    changed: Condvar,
    /// Without it connections and counters are kept, packages are not.
    packages: bool,
}

impl Recorder {
    pub(crate) fn new(packages: bool) -> Self {
        Self {
            seen: Mutex::default(),
            changed: Condvar::new(),
            packages,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        let mut seen = self.lock();
        change(&mut seen);
        seen.trim();
        drop(seen);
        self.changed.notify_all();
    }

    pub(crate) fn opened(&self, number: u64, transport: Transport) {
        self.change(|seen| {
            seen.connections.push_back(Connection {
                number,
                transport,
                user: None,
                ended: None,
            });
        });
    }

    pub(crate) fn upgraded(&self, number: u64) {
        self.change(|seen| {
            if let Some(connection) = seen.connection_mut(number) {
                connection.transport = match connection.transport {
                    Transport::Tcp | Transport::Ws => Transport::Ws,
                    Transport::Tls | Transport::Wss => Transport::Wss,
                };
            }
        });
    }

    pub(crate) fn logged_in(&self, number: u64, user: i64) {
        self.change(|seen| {
            if let Some(connection) = seen.connection_mut(number) {
                connection.user = Some(user);
            }
        });
    }

    pub(crate) fn ended(&self, number: u64, reason: Ended) {
        self.change(|seen| {
            if let Some(connection) = seen.connection_mut(number) {
                connection.ended.get_or_insert(reason);
            }
        });
    }

    pub(crate) fn quest(&self, quest: impl FnOnce() -> Quest) {
        if self.packages {
            let quest = quest();
            self.change(|seen| {
                seen.weight += quest.payload.weight();
                seen.quests.push_back(quest);
            });
        }
    }

    pub(crate) fn answer(&self, known: bool, answer: impl FnOnce() -> PushAnswer) {
        self.change(|seen| {
            seen.pushes_answered += u64::from(known);
            if self.packages {
                let answer = answer();
                seen.weight += answer.payload.weight();
                seen.answers.push_back(answer);
            }
        });
    }

    pub(crate) fn pushed(&self) {
        self.change(|seen| seen.pushes_sent += 1);
    }

    pub(crate) fn failed(&self, pushes: u64) {
        if pushes > 0 {
            self.change(|seen| seen.pushes_failed += pushes);
        }
    }

    pub(crate) fn snapshot(&self) -> Seen {
        self.lock().clone()
    }

    pub(crate) fn forget(&self) {
        self.change(|seen| {
            let mut connections = std::mem::take(&mut seen.connections);
            connections.retain(|connection| connection.ended.is_none());
            *seen = Seen {
                connections,
                ..Seen::default()
            };
        });
    }

    pub(crate) fn wait_for(&self, condition: impl Fn(&Seen) -> bool, limit: Duration) -> bool {
        let seen = self.lock();
        let (seen, _) = self
            .changed
            .wait_timeout_while(seen, limit, |seen| !condition(seen))
            .unwrap_or_else(PoisonError::into_inner);
        condition(&seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quest(payload: Value) -> Quest {
        Quest {
            connection: 1,
            method: "m".into(),
            seq: Some(1),
            encoding: Encoding::Msgpack,
            payload,
            at: Instant::now(),
        }
    }

    #[test]
    fn records_are_bounded_by_number_and_by_weight() {
        let recorder = Recorder::new(true);
        for _ in 0..MAX_RECORDS + 10 {
            recorder.quest(|| quest(Value::EMPTY));
        }
        assert_eq!(recorder.snapshot().quests.len(), MAX_RECORDS);
        for _ in 0..9 {
            recorder.quest(|| quest(vec![0; 8 << 20].into()));
        }
        assert!(recorder.snapshot().quests.len() < 9);
    }

    #[test]
    fn forgetting_keeps_what_is_open() {
        let recorder = Recorder::new(true);
        recorder.opened(1, Transport::Tcp);
        recorder.opened(2, Transport::Tls);
        recorder.ended(1, Ended::Peer);
        recorder.upgraded(2);
        recorder.quest(|| quest(Value::EMPTY));
        recorder.forget();
        let seen = recorder.snapshot();
        assert_eq!((seen.connections.len(), seen.quests.len()), (1, 0));
        assert_eq!(seen.connections[0].transport, Transport::Wss);
    }

    #[test]
    fn waiting_ends_with_the_condition_or_the_limit() {
        let recorder = Recorder::new(false);
        assert!(!recorder.wait_for(|seen| seen.pushes_sent == 1, Duration::from_millis(1)));
        std::thread::scope(|scope| {
            scope.spawn(|| recorder.pushed());
            assert!(recorder.wait_for(|seen| seen.pushes_sent == 1, Duration::from_secs(30)));
        });
    }
}
