//! A connection under any operations: every quest it took ends exactly once,
//! and what it holds is bounded.

mod held;
mod peer;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rtm_proto::Instant;
use rtm_proto::connection::{
    AnswerTicket, Connection, ConnectionInput, ConnectionLimits, ConnectionOutput, QuestError,
};
use rtm_proto::error::{ErrorCode, LostReason};
use rtm_proto::payload::Encoding;
use rtm_proto::transport::{Scheme, Target, Transport, TransportLimits};

use self::held::Held;
use crate::source::Source;
use crate::wire::{self, Wire};

const MAX_PACKAGE: usize = 4000;
const MAX_UNSENT: usize = 2000;
/// The request of a WebSocket and its frame heads.
const SLACK: usize = 10_000;
/// Unsent pongs, which are not limited before.
const MAX_PONGS: usize = 64 * 1024 + 200;
/// Floods per input; more find nothing new and take long.
const MAX_FLOODS: u8 = 2;

struct Quest {
    seq: u32,
    deadline: Instant,
    /// Where its package begins and ends in the outgoing stream.
    position: u64,
    end: u64,
}

struct Model<'a> {
    source: Source<'a>,
    connection: Connection<u32>,
    wire: Wire,
    now: Instant,
    next_key: u32,
    pending: BTreeMap<u32, Quest>,
    tickets: Vec<AnswerTicket>,
    /// Numbers of quests that arrived at the peer.
    arrived: Vec<u32>,
    /// All that did so far.
    seen: BTreeSet<u32>,
    /// Those that ended before they left, and so never may.
    unsent: BTreeSet<u32>,
    /// Where urgent quests begin that are still to leave, and their length.
    urgent: BTreeMap<u64, usize>,
    held: Held,
    floods: u8,
    websocket: bool,
    /// Outputs are taken after every operation.
    eager: bool,
    closed: bool,
}

/// Input: a byte of switches, then operations.
///
/// # Panics
///
/// If a quest ends twice, in the wrong way or not at all.
pub fn run(data: &[u8]) {
    let mut source = Source::new(data);
    let switches = source.byte();
    let websocket = switches & 1 != 0;
    let mut model = Model {
        connection: open(websocket),
        wire: Wire::new(websocket),
        source,
        now: Instant::ZERO,
        next_key: 0,
        pending: BTreeMap::new(),
        tickets: Vec::new(),
        arrived: Vec::new(),
        seen: BTreeSet::new(),
        unsent: BTreeSet::new(),
        urgent: BTreeMap::new(),
        held: Held::default(),
        floods: 0,
        websocket,
        eager: switches & 2 != 0,
        closed: false,
    };
    while !model.source.is_empty() {
        model.step();
        model.held.note_unsent(model.connection.unsent());
        if model.eager {
            model.take_outputs();
        }
    }
    model.finish();
}

fn open(websocket: bool) -> Connection<u32> {
    let scheme = if websocket { Scheme::Ws } else { Scheme::Tcp };
    let limits = TransportLimits::default().with_max_package(MAX_PACKAGE);
    let transport = Transport::new(&Target::new(scheme, "gate", 1), None, limits);
    let limits = ConnectionLimits {
        max_package: MAX_PACKAGE,
        max_unsent: MAX_UNSENT,
    };
    Connection::new(transport.expect("a host"), limits)
}

impl Model<'_> {
    fn step(&mut self) {
        match self.source.below(25) {
            0..=5 => self.quest(),
            6 => self.cancel(),
            7..=9 => self.transmit(),
            10 => self.take_outputs(),
            11..=12 => self.answer(),
            13..=17 => self.receive(),
            18..=19 => self.pass_time(),
            20..=21 => self.input(ConnectionInput::Connected),
            22 => self.end(),
            23 => self.flood(),
            _ => {
                let raw = self.source.some();
                self.receive_bytes(raw.to_vec());
            }
        }
    }

    fn input(&mut self, input: ConnectionInput) {
        self.connection.handle_input(self.now, input);
    }

    fn quest(&mut self) {
        let urgent = self.source.below(8) == 0;
        let size = 1 + usize::from(self.source.byte()) * (1 + 16 * self.source.below(2));
        let limit = Duration::from_millis(self.source.byte().into());
        self.ask(urgent, size, limit);
    }

    fn ask(&mut self, urgent: bool, size: usize, limit: Duration) {
        let mut body = vec![0xc0; size];
        body[0] = 0x80;
        let key = self.next_key;
        self.next_key += 1;
        let (deadline, position) = (self.now + limit, self.connection.position());
        let unsent = self.connection.unsent();
        let accepted = if urgent {
            self.connection.urgent_quest(key, "q", &body, deadline)
        } else {
            self.connection.quest(key, "q", &body, deadline)
        };
        match accepted {
            Ok(seq) => {
                assert!(urgent || unsent + size <= MAX_UNSENT);
                assert!(self.pending.values().all(|quest| quest.seq != seq));
                let end = self.connection.position();
                let quest = Quest {
                    seq,
                    deadline,
                    position,
                    end,
                };
                self.pending.insert(key, quest);
                if urgent {
                    self.urgent.insert(position, (end - position) as usize);
                }
            }
            Err(QuestError::Backpressure) => assert!(!urgent && unsent + size + 50 > MAX_UNSENT),
            Err(QuestError::Encode(_)) => assert!(size + 30 > MAX_PACKAGE),
            Err(error) => assert_eq!(error, QuestError::Closed),
        }
    }

    fn cancel(&mut self) {
        let keys: Vec<u32> = self.pending.keys().copied().collect();
        if let Some(key) = self.source.pick(&keys) {
            self.cancel_quest(key);
        }
    }

    fn cancel_quest(&mut self, key: u32) {
        let quest = &self.pending[&key];
        let left = self.connection.handed_out() > quest.position;
        match self.connection.cancel(quest.seq) {
            Some((cancelled, sent)) => {
                assert_eq!(cancelled, key);
                assert_eq!(sent, left);
                let quest = self.pending.remove(&key).expect("it is pending");
                self.check_sent(&quest, sent);
            }
            // Its end waits to be taken.
            None => assert!(!self.eager),
        }
    }

    /// Much of the same while nothing leaves.
    fn flood(&mut self) {
        let (kind, count) = (self.source.below(3), self.source.byte());
        if self.floods == MAX_FLOODS {
            return;
        }
        self.floods += 1;
        if kind == 2 && self.websocket && self.wire.is_open() {
            let ping = wire::server_frame(0x89, &[b'p'; 125]);
            return self.receive_bytes(ping.repeat(8 * usize::from(count)));
        }
        for _ in 0..count {
            let key = self.next_key;
            let moment = Duration::from_millis(1);
            self.ask(false, 1500, moment);
            if kind == 0 && self.pending.contains_key(&key) {
                self.cancel_quest(key);
            } else {
                self.now = self.now + moment;
                self.input(ConnectionInput::Tick);
            }
        }
    }

    fn answer(&mut self) {
        let Some(ticket) = self.tickets.pop() else {
            return;
        };
        match self.source.below(3) {
            0 => self.connection.answer_empty(ticket),
            1 => self.connection.answer_error(ticket, ErrorCode(1), "no"),
            _ => {
                // A map, and whatever makes it longer.
                let (map, more): (&[u8], _) = match ticket.encoding() {
                    Encoding::MsgPack => (b"\x80", 0x80),
                    Encoding::Json => (b"{}", b' '),
                };
                let more = vec![more; usize::from(self.source.byte()) * 20];
                self.connection.answer(ticket, 0, &[map, &more].concat());
            }
        }
    }

    fn pass_time(&mut self) {
        let step = Duration::from_millis(self.source.byte().into());
        self.now = match (self.source.below(3), self.connection.next_deadline()) {
            (0, Some(deadline)) => self.now.max(deadline),
            _ => self.now + step,
        };
        self.input(ConnectionInput::Tick);
        let next = self.connection.next_deadline();
        assert!(
            next.is_none_or(|deadline| deadline > self.now),
            "would spin"
        );
    }

    fn end(&mut self) {
        match self.source.below(16) {
            0 => self.input(ConnectionInput::Ended),
            1 => self.input(ConnectionInput::Failed("reset".into())),
            2 => self.connection.fail(LostReason::PeerClosed),
            3 | 4 => self.connection.close(),
            _ => {}
        }
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.connection.poll_output() {
            assert!(!self.closed, "{output:?} after the end");
            self.note(output);
        }
        assert_eq!(self.connection.in_flight(), self.pending.len());
        let first = self.pending.values().map(|quest| quest.deadline).min();
        assert_eq!(self.connection.next_deadline(), first);
        self.check_held();
    }

    fn check_held(&mut self) {
        self.held.check(&self.connection, !self.websocket);
        // One that has left in part counts as a whole.
        let left = self.connection.handed_out();
        self.urgent.retain(|at, len| *at + *len as u64 > left);
        let urgent: usize = self.urgent.values().sum();
        let pongs = if self.websocket { MAX_PONGS } else { 0 };
        assert!(self.connection.unsent() <= 2 * MAX_UNSENT + MAX_PACKAGE + urgent + pongs + SLACK);
    }

    fn note(&mut self, output: ConnectionOutput<u32>) {
        match output {
            ConnectionOutput::Answered { key, .. } => {
                let quest = self.pending.remove(&key).expect("it ended before");
                assert!(!self.eager || quest.deadline > self.now, "a late answer");
            }
            ConnectionOutput::Expired { key, sent } => {
                let quest = self.pending.remove(&key).expect("it ended before");
                assert!(quest.deadline <= self.now, "too early");
                self.check_sent(&quest, sent);
            }
            ConnectionOutput::Lost { key, sent } => {
                let quest = self.pending.remove(&key).expect("it ended before");
                self.check_sent(&quest, sent);
            }
            ConnectionOutput::Quest(quest) => self.tickets.extend(quest.ticket()),
            ConnectionOutput::Closed(_) => {
                self.closed = true;
                assert!(self.pending.is_empty(), "quests were forgotten");
            }
            _ => {}
        }
    }

    fn check_sent(&mut self, quest: &Quest, sent: bool) {
        if !sent {
            self.unsent.insert(quest.seq);
            self.urgent.remove(&quest.position);
            self.held.withdrawn(quest.position, quest.end);
        }
        let left = self.connection.handed_out() > quest.position;
        assert!(left || !sent, "called sent before it was");
    }

    fn finish(mut self) {
        let front = self.connection.poll_transmit();
        self.input(ConnectionInput::Ended);
        self.take_outputs();
        assert!(self.closed && self.pending.is_empty());
        let late = self.connection.quest(0, "q", b"\x80", self.now);
        assert_eq!(late, Err(QuestError::Closed));
        drop(self.connection);
        if let Some(piece) = front {
            self.held.check_memory(piece);
        }
    }
}
