//! The client, and what must be true of it.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;
use rtm_proto::api::{
    EnterRoom, LeaveRoom, SendFile, SendMessage, SetAttributes, SetTranslationLanguage,
};
use rtm_proto::error::{Cause, RequestError};
use rtm_proto::{
    Backoff, CallId, Client, Config, ConnId, Event, Input, Instant, MessageType, Output,
    RequestOptions, SocketEnd, State, Token, UserId,
};

use super::service::Peer;
use crate::source::Source;

const START: Instant = Instant::from_duration(Duration::from_secs(1000));
const UNIX: Duration = Duration::from_millis(1_591_322_544_000);
const MAX_UNSENT: usize = 3000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Pending,
    Ended,
    Cancelled,
}

pub(super) struct Model<'a> {
    source: Source<'a>,
    client: Client,
    now: Instant,
    calls: BTreeMap<CallId, Fate>,
    /// Every connection ever asked for, with its service.
    peers: BTreeMap<ConnId, Peer>,
    /// Those that are not over as far as the adapter knows.
    live: BTreeSet<ConnId>,
    last_state: State,
    /// Outputs are taken after every operation, as the contract says.
    eager: bool,
    /// A kickout was reported, and nobody has logged in since.
    kicked: bool,
    aborted: bool,
    /// Set if the outputs are to be compared with those of another run.
    digest: Option<DefaultHasher>,
}

fn config(source: &mut Source<'_>) -> Config {
    let switches = source.byte();
    let pauses = source.byte();
    let mut config = Config::new(7, UserId(1), "the token")
        .ssl(false)
        .auto_reconnect(switches & 3 != 3)
        .provide_tokens(switches & 4 != 0)
        .restore_rooms(switches & 8 == 0)
        .max_waiting(3)
        .max_unsent(MAX_UNSENT)
        .max_package(2500)
        .duplicate_lifetime(Duration::from_secs(u64::from(switches & 16)))
        .backoff(match pauses & 3 {
            0 => Backoff::default(),
            1 => Backoff::fixed(Duration::from_millis((pauses >> 2).into())),
            _ => Backoff::default().max_attempts((pauses >> 2).into()),
        });
    if switches & 32 == 0 {
        let gate = if switches & 64 == 0 {
            "tcp://gate:1"
        } else {
            "ws://gate:1"
        };
        config = config.gate(gate.parse().expect("an endpoint"));
    }
    if switches & 128 != 0 {
        config = config.dispatch("tcp://dispatch:1".parse().expect("an endpoint"));
    }
    config
}

impl<'a> Model<'a> {
    pub(super) fn new(mut source: Source<'a>, compared: bool) -> Self {
        let eager = source.byte() & 1 == 0;
        let config = config(&mut source);
        let seed = source.byte().into();
        Model {
            source,
            client: Client::new(config, seed, START, UNIX),
            now: START,
            calls: BTreeMap::new(),
            peers: BTreeMap::new(),
            live: BTreeSet::new(),
            last_state: State::Idle,
            eager,
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
        let now = self.now;
        match self.source.below(48) {
            0..=2 => {
                self.kicked = false;
                self.client.login(now);
            }
            3 => self.client.logout(now),
            4 => self.client.set_token(now, Token::from("another")),
            5..=13 => self.call(),
            14 => self.cancel(),
            15..=18 => self.pass_time(),
            19..=22 => self.connected(),
            23 => self.lose(),
            24..=28 => self.serve(),
            29..=35 => self.receive(),
            36 => self.client.handle_input(now, Input::NetworkChanged),
            37 => self.client.handle_input(now, Input::Tick),
            38 => self.peek(),
            39 => self.receive_noise(),
            40 if self.source.below(8) == 0 => self.abort(),
            41..=43 => self.advance_login(),
            _ => self.drain(),
        }
        if self.eager {
            self.drain();
        }
        true
    }

    fn call(&mut self) {
        let switches = self.source.byte();
        let options = RequestOptions::default()
            .wait_online(switches & 1 != 0)
            .resend_on_loss(switches >> 1 & 3)
            .timeout(Duration::from_millis(u64::from(switches >> 3 & 3) * 4000));
        let (client, now) = (&mut self.client, self.now);
        let what = self.source.byte();
        let size = usize::from(what) * 12;
        let room = i64::from(what % 4);
        let accepted = match switches >> 5 {
            0 => client.request(now, &EnterRoom::new(room), options),
            1 => client.request(now, &LeaveRoom::new(room), options),
            2 => client.request(now, &SetTranslationLanguage::new("en"), options),
            3 => client.request(now, &SetAttributes::new([("a", "b")]), options),
            4 | 5 => {
                let file = SendFile::new(UserId(1), MessageType(40), vec![what; size]);
                client.request(now, &file, options)
            }
            _ => client.request(
                now,
                &SendMessage::chat(UserId(1), "x".repeat(size)),
                options,
            ),
        };
        match accepted {
            Ok(call) => {
                let before = self.calls.insert(call, Fate::Pending);
                assert_eq!(before, None, "a call's name came twice");
            }
            Err(error) => self.digest(&error),
        }
    }

    fn digest(&mut self, seen: &impl fmt::Debug) {
        if let Some(digest) = &mut self.digest {
            format!("{seen:?}").hash(digest);
        }
    }

    fn cancel(&mut self) {
        let known: Vec<CallId> = self.calls.keys().copied().collect();
        if let Some(call) = self.source.pick(&known) {
            self.client.cancel(call);
            let fate = self.calls.get_mut(&call).expect("a call");
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
        let kind = self.source.below(8);
        let step = u64::from(self.source.byte());
        self.now = match kind {
            0 => START + Duration::from_millis(step),
            1 => self.now + Duration::from_millis(step * 500),
            2 => self.now + Duration::from_millis(step),
            _ => deadline.unwrap_or(self.now).max(self.now),
        };
        self.client.handle_input(self.now, Input::Tick);
        self.drain();
        if let Output::Wait {
            deadline: Some(at),
            reason,
        } = self.client.poll_output()
        {
            // A clock that went back counts as the last one, which is not known here.
            assert!(at > self.now, "would spin at {at}: {reason:?}");
        }
    }

    /// Mostly the newest connection, sometimes any that ever was.
    fn some_conn(&mut self) -> Option<ConnId> {
        match self.source.byte() {
            0..=15 => {
                let known: Vec<ConnId> = self.peers.keys().copied().collect();
                self.source.pick(&known)
            }
            16..=63 => self.live.first().copied(),
            _ => self.live.last().copied(),
        }
    }

    fn connected(&mut self) {
        if let Some(conn) = self.some_conn() {
            self.client
                .handle_input(self.now, Input::Connected { conn });
        }
    }

    /// Everything that the next step of a login needs.
    fn advance_login(&mut self) {
        self.drain();
        let Some(conn) = self.live.last().copied() else {
            return;
        };
        self.client
            .handle_input(self.now, Input::Connected { conn });
        for _ in 0..3 {
            self.drain();
            self.serve_all(conn);
        }
    }

    fn lose(&mut self) {
        let Some(conn) = self.some_conn() else { return };
        let reason = match self.source.below(3) {
            0 => {
                let reason = "no route".into();
                let input = Input::ConnectFailed { conn, reason };
                self.client.handle_input(self.now, input);
                self.live.remove(&conn);
                return;
            }
            1 => SocketEnd::Eof,
            _ => SocketEnd::Failed("reset".into()),
        };
        let input = Input::Disconnected { conn, reason };
        self.client.handle_input(self.now, input);
        self.live.remove(&conn);
    }

    /// The service answers what it was asked.
    fn serve(&mut self) {
        if let Some(conn) = self.some_conn() {
            self.serve_all(conn);
        }
    }

    fn serve_all(&mut self, conn: ConnId) {
        if let Some(peer) = self.peers.get_mut(&conn) {
            let data = peer.answer_all();
            self.deliver(conn, data);
        }
    }

    /// The service sends what it likes.
    fn receive(&mut self) {
        let Some(conn) = self.some_conn() else { return };
        let Some(peer) = self.peers.get_mut(&conn) else {
            return;
        };
        let mut data = Vec::new();
        for _ in 0..=self.source.below(3) {
            data.extend(peer.say_something(&mut self.source));
        }
        match self.source.below(16) {
            0 => data.truncate(usize::from(self.source.byte())),
            1 if !data.is_empty() => {
                let at = self.source.below(data.len());
                data[at] = self.source.byte();
            }
            _ => {}
        }
        self.deliver(conn, data);
    }

    fn receive_noise(&mut self) {
        if let Some(conn) = self.some_conn() {
            let noise = self.source.some().to_vec();
            self.deliver(conn, noise);
        }
    }

    fn deliver(&mut self, conn: ConnId, data: Vec<u8>) {
        if !data.is_empty() {
            let data = Bytes::from(data);
            self.client
                .handle_input(self.now, Input::Received { conn, data });
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

    fn transmit(&mut self, conn: ConnId) -> bool {
        let Some(bytes) = self.client.poll_transmit(conn) else {
            return false;
        };
        assert!(!bytes.is_empty() && bytes.len() <= 65_536);
        self.digest(&bytes.len());
        let peer = self.peers.get_mut(&conn).expect("a connection");
        let reply = peer.hear(bytes);
        self.deliver(conn, reply);
        true
    }

    fn drain(&mut self) {
        let stalled = self.source.below(8) == 1;
        for _ in 0..10_000 {
            match self.client.poll_output() {
                Output::Wait { .. } => {}
                output => {
                    self.note(output);
                    continue;
                }
            }
            for conn in self.live.clone().into_iter().filter(|_| !stalled) {
                while self.transmit(conn) {}
            }
            if !self.client.has_output() {
                return self.check_rest();
            }
        }
        panic!("the client does not come to rest");
    }

    fn check_rest(&self) {
        assert_eq!(
            *self.client.state(),
            self.last_state,
            "a change without event"
        );
        let pending = self.calls.values().filter(|fate| **fate == Fate::Pending);
        assert_eq!(self.client.in_flight(), pending.count());
        if self.aborted {
            assert!(self.live.is_empty(), "sockets left behind");
        }
    }

    fn note(&mut self, output: Output) {
        self.digest(&output);
        match output {
            Output::Connect { conn, .. } => {
                assert!(!self.kicked || !self.eager, "a login after a kickout");
                assert!(!self.aborted, "a connection after an abort");
                let before = self.peers.insert(conn, Peer::new());
                assert!(before.is_none(), "{conn:?} came twice");
                self.live.insert(conn);
            }
            Output::Disconnect { conn } => {
                assert!(self.live.remove(&conn), "{conn:?} is gone already");
            }
            Output::Answer { call, result, .. } => self.note_end(call, result.as_ref().err()),
            Output::Event(event) => self.note_event(event),
            _ => {}
        }
    }

    fn note_end(&mut self, call: CallId, error: Option<&RequestError>) {
        let fate = self.calls.get_mut(&call).expect("never accepted");
        assert_eq!(*fate, Fate::Pending, "{call:?} ended before: {error:?}");
        *fate = Fate::Ended;
    }

    fn note_event(&mut self, event: Event) {
        match event {
            Event::State(state) => {
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
        self.abort();
        assert!(self.calls.values().all(|fate| *fate != Fate::Pending));
        assert!(matches!(
            self.client.poll_output(),
            Output::Wait { deadline: None, .. }
        ));
        self.digest.map_or(0, |digest| digest.finish())
    }
}
