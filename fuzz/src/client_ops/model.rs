//! The client, and what must be true of it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;
use rtm_proto::error::Cause;
use rtm_proto::{Client, ConnId, Event, Input, Instant, Output, State, Token};

use super::calls::Calls;
use super::pushes::{Pushes, Tag};
use super::service::Peer;
use super::settings::{self, MOST_HELD, START, UNIX};
use crate::source::Source;

pub(super) struct Model<'a> {
    pub(super) source: Source<'a>,
    pub(super) client: Client,
    /// The time, which may go back.
    pub(super) now: Instant,
    /// The latest that the client was told, which is the time for it.
    pub(super) clock: Instant,
    /// What that was at the last input, when whatever was due had to end.
    pub(super) last_input: Instant,
    pub(super) calls: Calls,
    pub(super) pushes: Pushes,
    /// Every connection ever asked for, with its service.
    pub(super) peers: BTreeMap<ConnId, Peer>,
    /// Those that are not over as far as the adapter knows.
    pub(super) live: BTreeSet<ConnId>,
    /// The newest connection to each host.
    dialed: BTreeMap<String, ConnId>,
    /// Where the last session was.
    pub(super) gate: Option<ConnId>,
    last_state: State,
    /// No socket takes bytes.
    stalled: bool,
    pub(super) floods: u8,
    /// Outputs are taken after every operation, as the contract says.
    eager: bool,
    /// With every push the bytes are taken that are there by then.
    prompt: bool,
    /// Pushes that were delivered when their answer was not there, which is
    /// right only if their connection was over.
    unanswered: Vec<(ConnId, Tag)>,
    /// A kickout was reported, and nobody has logged in since.
    kicked: bool,
    aborted: bool,
    /// Set if the outputs are to be compared with those of another run.
    digest: Option<DefaultHasher>,
}

impl<'a> Model<'a> {
    pub(super) fn new(mut source: Source<'a>, compared: bool) -> Self {
        let modes = source.byte();
        let switches = source.byte();
        let config = settings::config(switches, &mut source);
        let seed = source.byte().into();
        Model {
            source,
            client: Client::new(config, seed, START, UNIX),
            now: START,
            clock: START,
            last_input: START,
            calls: Calls::default(),
            pushes: Pushes::new(settings::duplicate_lifetime(switches)),
            peers: BTreeMap::new(),
            live: BTreeSet::new(),
            dialed: BTreeMap::new(),
            gate: None,
            last_state: State::Idle,
            stalled: false,
            floods: 0,
            eager: modes & 1 == 0,
            prompt: modes & 2 != 0,
            unanswered: Vec::new(),
            kicked: false,
            aborted: false,
            digest: compared.then(DefaultHasher::new),
        }
    }

    /// One operation; false once there are no more.
    pub(super) fn step(&mut self) -> bool {
        if self.source.is_empty() {
            return false;
        }
        match self.source.below(54) {
            0..=2 => {
                self.kicked = false;
                let now = self.tell_time();
                self.client.login(now);
            }
            3 => {
                let now = self.tell_time();
                self.client.logout(now);
            }
            4 => {
                let now = self.tell_time();
                self.client.set_token(now, Token::from("another"));
            }
            5..=13 => self.call(),
            14 => self.cancel(),
            15..=18 => self.pass_time(),
            19..=22 => self.connected(),
            23 => self.lose(),
            24..=28 => self.serve(),
            29..=35 => self.receive(),
            36 => self.input(Input::NetworkChanged),
            37 => self.input(Input::Tick),
            38 => self.peek(),
            39 => self.receive_noise(),
            40 if self.source.below(8) == 0 => self.abort(),
            41..=43 => self.advance_login(),
            44 => self.stalled = !self.stalled,
            45 => self.flood(),
            46 => self.call_recorded(),
            47..=49 => self.receive_recorded(),
            _ => self.drain(),
        }
        if self.eager {
            self.drain();
        }
        true
    }

    pub(super) fn digest(&mut self, seen: &impl fmt::Debug) {
        if let Some(digest) = &mut self.digest {
            format!("{seen:?}").hash(digest);
        }
    }

    /// Takes a little of what the client has to say, against the rule.
    fn peek(&mut self) {
        let output = self.client.poll_output();
        self.note(output);
        if let Some(conn) = self.some_conn() {
            self.transmit(conn);
        }
    }

    pub(super) fn transmit(&mut self, conn: ConnId) -> bool {
        let Some(bytes) = self.client.poll_transmit(conn) else {
            return false;
        };
        assert!(!bytes.is_empty() && bytes.len() <= 65_536);
        self.digest(&bytes.len());
        self.hear(conn, bytes);
        true
    }

    fn hear(&mut self, conn: ConnId, bytes: Bytes) {
        let peer = self.peers.get_mut(&conn).expect("a connection");
        let (reply, messages) = peer.hear(bytes);
        for id in messages {
            self.calls.arrived(id);
        }
        self.deliver(conn, reply);
    }

    pub(super) fn drain(&mut self) {
        for _ in 0..10_000 {
            match self.client.poll_output() {
                Output::Wait { .. } => {}
                output => {
                    self.note(output);
                    continue;
                }
            }
            if !self.stalled {
                for conn in self.live.clone() {
                    while self.transmit(conn) {}
                }
            }
            if !self.client.has_output() {
                return self.check_rest();
            }
        }
        panic!("the client does not come to rest");
    }

    fn check_rest(&mut self) {
        assert_eq!(
            *self.client.state(),
            self.last_state,
            "a change without event"
        );
        self.calls.check(self.client.in_flight(), self.last_input);
        for (conn, tag) in std::mem::take(&mut self.unanswered) {
            let is_over = !self.live.contains(&conn) || !self.peers[&conn].is_intact();
            assert!(is_over, "{tag:?} was delivered before it was answered");
        }
        // Otherwise some may be over without anybody having been told.
        if !self.stalled {
            for conn in &self.live {
                assert!(self.peers[conn].has_all_answers(), "answers are missing");
                self.pushes.check_all_delivered(*conn);
            }
        }
        if self.aborted {
            assert!(self.live.is_empty(), "sockets left behind");
        }
    }

    fn note(&mut self, output: Output) {
        self.digest(&output);
        match output {
            Output::Connect { conn, host, .. } => {
                assert!(!self.kicked || !self.eager, "a login after a kickout");
                assert!(!self.aborted, "a connection after an abort");
                let before = self.peers.insert(conn, Peer::new());
                assert!(before.is_none(), "{conn:?} came twice");
                self.live.insert(conn);
                self.dialed.insert(host, conn);
            }
            Output::Disconnect { conn } => {
                assert!(self.live.remove(&conn), "{conn:?} is gone already");
            }
            Output::Answer { call, result, .. } => {
                self.calls.ended(call, result.as_ref().err(), self.clock);
            }
            Output::Event(event) => self.note_event(event),
            _ => {}
        }
    }

    fn note_event(&mut self, event: Event) {
        if let Some((conn, tag)) = self.pushes.of_event(&event) {
            self.pushes.delivered(conn, tag);
            if self.prompt && !self.stalled {
                while self.transmit(conn) {}
                if !self.peers[&conn].has_answer_to(tag) {
                    self.unanswered.push((conn, tag));
                }
            }
        }
        match event {
            Event::Message(message) => self.pushes.check_new(&message, self.clock),
            Event::State(state) => {
                if let State::Online { session } = &state {
                    let gate = self.dialed[session.gate.host()];
                    assert!(self.peers[&gate].may_be_online(), "nobody let it in");
                    self.gate = Some(gate);
                }
                assert_ne!(state, self.last_state, "an event without a change");
                if let State::Closed {
                    cause: Cause::Aborted,
                } = self.last_state
                {
                    panic!("{state} after an abort");
                }
                self.last_state = state;
            }
            Event::KickedOut(_) => self.kicked = true,
            Event::UploadProgress { sent, total, .. } => assert!(sent <= total),
            _ => {}
        }
    }

    fn abort(&mut self) {
        self.drain();
        self.client.abort();
        self.aborted = true;
        assert_eq!(self.client.in_flight(), 0, "calls survive an abort");
        self.drain();
    }

    /// Ends the client and checks that nothing is left; gives a digest of all
    /// outputs.
    pub(super) fn finish(mut self) -> u64 {
        let fronts = self.fronts();
        self.abort();
        assert!(matches!(
            self.client.poll_output(),
            Output::Wait { deadline: None, .. }
        ));
        drop(self.client);
        for front in fronts {
            if let Ok(buffer) = front.try_into_mut() {
                let held = buffer.capacity();
                assert!(held <= MOST_HELD, "{held} bytes are held for one peer");
            }
        }
        self.digest.map_or(0, |digest| digest.finish())
    }

    /// The next bytes of each connection. Whoever keeps them until nobody else
    /// uses their memory sees how much there is behind them.
    fn fronts(&mut self) -> Vec<Bytes> {
        let mut fronts = Vec::new();
        for conn in self.live.clone() {
            if let Some(front) = self.client.poll_transmit(conn) {
                self.hear(conn, Bytes::copy_from_slice(&front));
                fronts.push(front);
            }
        }
        fronts
    }
}
