//! Contract, line 1: any calls in any order. Pseudo-random operations against
//! a model of what must hold whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use rtm_proto::api::{EnterRoom, LeaveRoom, SendMessage};
use rtm_proto::frame::{Decoder, Frame};
use rtm_proto::{
    Backoff, CallId, Client, Config, ConnId, Event, Input, Instant, Output, RequestOptions,
    SocketEnd, State, Token, UserId,
};

use crate::support::{
    Call, START, UNIX, answer, bare_config, endpoint, error, map, ms, one_way, push, secs,
};

/// A small generator; the sequence is the test.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let index = self.roll(from.len().max(1) as u64) as usize;
        from.get(index).copied()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Pending,
    Ended,
    Cancelled,
}

/// The client, and what must be true of it.
struct Model {
    client: Client,
    dice: Dice,
    now: Instant,
    calls: BTreeMap<CallId, Fate>,
    /// Every connection ever asked for.
    conns: Vec<ConnId>,
    /// Those that are not over as far as the adapter knows.
    live: BTreeSet<ConnId>,
    /// The quests that left on each connection, to be answered.
    owed: BTreeMap<ConnId, (Decoder, Vec<u32>)>,
    last_state: State,
    reached: Reached,
}

/// What a run came to; so that the test cannot pass by doing nothing.
#[derive(Debug, Default)]
struct Reached {
    online: u32,
    answered: u32,
    failed: u32,
    messages: u32,
    backoffs: u32,
    kicked: u32,
}

fn config(dice: &mut Dice) -> Config {
    let gate = [
        "tcp://gate:1",
        "tcp://gate:1",
        "tcp://gate:1",
        "ws://gate:1",
    ];
    let mut config = bare_config()
        .auto_reconnect(dice.roll(4) > 0)
        .provide_tokens(dice.roll(2) > 0)
        .restore_rooms(dice.roll(4) > 0)
        .max_waiting(3)
        .max_unsent(600)
        .max_package(4096)
        .backoff(match dice.roll(3) {
            0 => Backoff::default(),
            1 => Backoff::fixed(ms(100)),
            _ => Backoff::default().max_attempts(6),
        });
    if dice.roll(3) > 0 {
        config = config.gate(endpoint(dice.pick(&gate).unwrap()));
    }
    if dice.roll(3) == 0 {
        config = config.dispatch(endpoint("tcp://dispatch:1"));
    }
    config
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let config = config(&mut dice);
        Model {
            client: Client::new(config, seed, START, UNIX),
            dice,
            now: START,
            calls: BTreeMap::new(),
            conns: Vec::new(),
            live: BTreeSet::new(),
            owed: BTreeMap::new(),
            last_state: State::Idle,
            reached: Reached::default(),
        }
    }

    fn step(&mut self) {
        let now = self.now;
        match self.dice.roll(40) {
            0..=2 => self.client.login(now),
            3 if self.dice.roll(3) == 0 => self.client.logout(now),
            4 => self.client.set_token(now, Token::from("another")),
            5..=11 => self.call(),
            12 => self.cancel(),
            13..=15 => self.pass_time(),
            16..=19 => self.connected(),
            20 => self.lose(),
            21..=31 => self.receive(),
            32 => self.client.handle_input(now, Input::NetworkChanged),
            33 => self.client.handle_input(now, Input::Tick),
            34 => self.peek(),
            _ => self.drain(),
        }
    }

    fn call(&mut self) {
        let options = RequestOptions::default()
            .wait_online(self.dice.roll(2) > 0)
            .resend_on_loss(self.dice.roll(3) as u8)
            .timeout(ms(self.dice.roll(3) * 4000));
        let (client, now) = (&mut self.client, self.now);
        let size = self.dice.roll(300) as usize;
        let call = match self.dice.roll(5) {
            0 => client.request(now, &Call("anything"), options),
            1 => client.request(now, &EnterRoom::new(size as i64 % 4), options),
            2 => client.request(now, &LeaveRoom::new(size as i64 % 4), options),
            _ => client.request(
                now,
                &SendMessage::chat(UserId(1), "x".repeat(size)),
                options,
            ),
        };
        if let Ok(call) = call {
            let before = self.calls.insert(call, Fate::Pending);
            assert_eq!(before, None, "a call's name came twice");
        }
    }

    fn cancel(&mut self) {
        let known: Vec<CallId> = self.calls.keys().copied().collect();
        if let Some(call) = self.dice.pick(&known) {
            self.client.cancel(call);
            let fate = self.calls.get_mut(&call).unwrap();
            if *fate == Fate::Pending {
                *fate = Fate::Cancelled;
            }
        }
    }

    fn pass_time(&mut self) {
        self.drain();
        let deadline = match self.client.poll_output() {
            Output::Wait { deadline, .. } => deadline,
            output => panic!("not drained: {output:?}"),
        };
        self.now = match self.dice.roll(8) {
            0 => START + ms(self.dice.roll(1000)),
            1 => self.now + secs(self.dice.roll(30)),
            2 => self.now + ms(self.dice.roll(500)),
            3 => self.now,
            _ => deadline.unwrap_or(self.now),
        };
        self.client.handle_input(self.now, Input::Tick);
        self.drain();
        if let Output::Wait {
            deadline: Some(at),
            reason,
        } = self.client.poll_output()
        {
            let clock = self.now.max(START);
            assert!(
                at > clock || self.now < clock,
                "would spin at {at}: {reason:?}"
            );
        }
    }

    /// Mostly the newest connection, sometimes any that ever was.
    fn some_conn(&mut self) -> Option<ConnId> {
        if self.dice.roll(6) == 0 {
            return self.dice.pick(&self.conns);
        }
        self.live.last().copied()
    }

    fn connected(&mut self) {
        if let Some(conn) = self.some_conn() {
            self.client
                .handle_input(self.now, Input::Connected { conn });
        }
    }

    fn lose(&mut self) {
        let Some(conn) = self.some_conn() else { return };
        let input = match self.dice.roll(3) {
            0 => Input::ConnectFailed {
                conn,
                reason: "no route".into(),
            },
            1 => Input::Disconnected {
                conn,
                reason: SocketEnd::Eof,
            },
            _ => Input::Disconnected {
                conn,
                reason: SocketEnd::Failed("reset".into()),
            },
        };
        self.client.handle_input(self.now, input);
        self.live.remove(&conn);
    }

    fn receive(&mut self) {
        let Some(conn) = self.some_conn() else { return };
        let mut data = Vec::new();
        for _ in 0..=self.dice.roll(3) {
            data.extend_from_slice(&self.package(conn));
        }
        match self.dice.roll(12) {
            0 => data.truncate(self.dice.roll(data.len() as u64) as usize),
            1 => {
                let at = self.dice.roll(data.len() as u64) as usize;
                data[at] ^= 1 << self.dice.roll(8);
            }
            _ => {}
        }
        let data = data.into();
        self.client
            .handle_input(self.now, Input::Received { conn, data });
    }

    /// Notes the quests in what a stream carries; what a WebSocket carries is
    /// masked and stays a riddle.
    fn overhear(&mut self, conn: ConnId, bytes: Bytes) {
        let fresh = || (Decoder::new(1 << 20), Vec::new());
        let (decoder, owed) = self.owed.entry(conn).or_insert_with(fresh);
        decoder.push(bytes);
        while let Ok(Some(frame)) = decoder.next_frame() {
            if let Frame::Quest(quest) = frame {
                owed.extend(quest.seq);
            }
        }
    }

    /// Mostly a number that is waited for.
    fn seq(&mut self, conn: ConnId) -> u32 {
        let owed = self.owed.get_mut(&conn).map(|(_, owed)| owed);
        match owed.and_then(Vec::pop) {
            Some(seq) if self.dice.roll(4) > 0 => seq,
            _ => 1 + self.dice.roll(6) as u32,
        }
    }

    fn package(&mut self, conn: ConnId) -> Bytes {
        let seq = self.seq(conn);
        let mid = self.dice.roll(4) as i64;
        let gate = "gate:1".into();
        match self.dice.roll(32) {
            0..=17 => answer(
                seq,
                &map(&[("ok", true.into()), ("endpoint", "tcp://gate:1".into())]),
            ),
            18 => answer(seq, &map(&[("ok", false.into())])),
            19 => answer(seq, &map(&[("ok", false.into()), ("gate", gate)])),
            20 => error(seq, 200_053, "duplicate"),
            21 => error(seq, 200_010, "later"),
            22 => error(seq, 200_024, "denied"),
            23..=27 => push(
                seq,
                "pushmsg",
                &map(&[
                    ("from", 1.into()),
                    ("mtype", 30.into()),
                    ("mid", mid.into()),
                    ("msg", "x".into()),
                ]),
            ),
            28 => push(seq, "pushgroupmsg", &map(&[])),
            29 => one_way("kickoutroom", &map(&[("rid", mid.into())])),
            30 if self.dice.roll(3) == 0 => push(seq, "kickout", &map(&[])),
            _ => push(seq, "what is this", &map(&[])),
        }
    }

    /// Takes a little of what the client has to say, against the rule.
    fn peek(&mut self) {
        let output = self.client.poll_output();
        self.note(output);
        if let Some(conn) = self.some_conn() {
            let _ = self.client.poll_transmit(conn);
        }
    }

    fn drain(&mut self) {
        for _ in 0..10_000 {
            match self.client.poll_output() {
                Output::Wait { .. } => {}
                output => {
                    self.note(output);
                    continue;
                }
            }
            let stalled = self.dice.roll(8) == 0;
            for conn in self.live.clone().into_iter().filter(|_| !stalled) {
                while let Some(bytes) = self.client.poll_transmit(conn) {
                    assert!(!bytes.is_empty() && bytes.len() <= 65_536);
                    self.overhear(conn, bytes);
                }
            }
            if !self.client.has_output() {
                assert_eq!(
                    *self.client.state(),
                    self.last_state,
                    "a change without event"
                );
                let pending = self.calls.values().filter(|fate| **fate == Fate::Pending);
                assert_eq!(self.client.in_flight(), pending.count());
                return;
            }
        }
        panic!("the client does not come to rest");
    }

    fn note(&mut self, output: Output) {
        match output {
            Output::Connect { conn, .. } => {
                assert!(!self.conns.contains(&conn), "{conn:?} came twice");
                self.conns.push(conn);
                self.live.insert(conn);
            }
            Output::Disconnect { conn } => {
                assert!(self.live.remove(&conn), "{conn:?} is gone already");
            }
            Output::Answer { call, result, .. } => {
                let fate = self.calls.get_mut(&call).expect("never accepted");
                assert_eq!(*fate, Fate::Pending, "{call:?} ended before: {result:?}");
                *fate = Fate::Ended;
                match result {
                    Ok(_) => self.reached.answered += 1,
                    Err(_) => self.reached.failed += 1,
                }
            }
            Output::Event(event) => self.note_event(event),
            _ => {}
        }
    }

    fn note_event(&mut self, event: Event) {
        match event {
            Event::State(state) => {
                assert_ne!(state, self.last_state, "an event without a change");
                match state {
                    State::Online { .. } => self.reached.online += 1,
                    State::Backoff { .. } => self.reached.backoffs += 1,
                    _ => {}
                }
                self.last_state = state;
            }
            Event::Message(_) => self.reached.messages += 1,
            Event::KickedOut(_) => self.reached.kicked += 1,
            _ => {}
        }
    }

    fn finish(&mut self) {
        self.client.abort();
        self.drain();
        // A peer that never took its bytes does not keep the client busy.
        self.now = self.now.max(START) + Duration::from_secs(100_000);
        self.client.handle_input(self.now, Input::Tick);
        self.drain();
        assert!(self.calls.values().all(|fate| *fate != Fate::Pending));
        assert_eq!(self.client.in_flight(), 0);
        assert!(self.live.is_empty(), "sockets left behind");
        assert!(matches!(
            self.client.poll_output(),
            Output::Wait { deadline: None, .. }
        ));
    }
}

#[test]
fn any_calls_in_any_order_never_panic_and_keep_every_promise() {
    let mut total = Reached::default();
    for seed in 1..=400 {
        let mut model = Model::new(seed);
        for _ in 0..500 {
            model.step();
        }
        model.finish();
        total.online += model.reached.online;
        total.answered += model.reached.answered;
        total.failed += model.reached.failed;
        total.messages += model.reached.messages;
        total.backoffs += model.reached.backoffs;
        total.kicked += model.reached.kicked;
    }
    // The dice did get somewhere.
    assert!(total.online > 300, "{total:?}");
    assert!(total.answered > 500, "{total:?}");
    assert!(total.failed > 1000, "{total:?}");
    assert!(total.messages > 1000, "{total:?}");
    assert!(total.backoffs > 1000, "{total:?}");
    assert!(total.kicked > 100, "{total:?}");
}
