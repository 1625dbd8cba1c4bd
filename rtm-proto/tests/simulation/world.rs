//! Clients, network, service and clock.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rtm_proto::{Client, Config, ConnId, Event, Input, Instant, Output, SocketEnd, State};

use crate::dice::Dice;
use crate::link::{Key, Link};
use crate::service::Service;
use crate::user::{LATE, User};

pub(crate) const START: Instant = Instant::from_duration(Duration::from_secs(1000));
const UNIX: Duration = Duration::from_millis(1_591_322_544_000);

/// No more packages are read at once than there is room for their answers.
const READ: usize = 1000;

/// More turns without a step in time than any run needs.
const TURNS: u32 = 1000;

pub(crate) enum Happening {
    Wake(usize),
    Dialed(Key),
    ToServer(Key, Bytes),
    ToClient(Key, Bytes),
    ClientSees(Key, SocketEnd),
    ServerSees(Key),
    Says(Key, Bytes),
    Hangs(Key),
    /// The client's bytes are taken again.
    Writable(Key),
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) dice: Dice,
    pub(crate) users: Vec<User>,
    /// The connections of each user.
    pub(crate) links: Vec<BTreeMap<ConnId, Link>>,
    pub(crate) service: Service,
    /// One way, at most.
    pub(crate) latency_ms: u64,
    /// Connections may fail in all the ways there are.
    pub(crate) is_rough: bool,
    /// When which user's client asked for a connection.
    pub(crate) dialed: Vec<(Instant, usize)>,
    due: BTreeMap<(Instant, u64), Happening>,
    ticket: u64,
    pub(crate) next_mid: i64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        World {
            now: START,
            dice: Dice::new(seed),
            users: Vec::new(),
            links: Vec::new(),
            service: Service::new(),
            latency_ms: 40,
            is_rough: false,
            dialed: Vec::new(),
            due: BTreeMap::new(),
            ticket: 0,
            next_mid: 1,
        }
    }

    pub(crate) fn add(&mut self, config: Config) {
        let number = self.users.len();
        let seed = self.dice.roll(u64::MAX);
        let client = Client::new(config, seed, self.now, UNIX);
        self.users.push(User::new(client, number));
        self.links.push(BTreeMap::new());
    }

    /// Does something with a user and obeys its client afterwards.
    pub(crate) fn with<T>(
        &mut self,
        user: usize,
        f: impl FnOnce(&mut User, Instant, &mut Dice) -> T,
    ) -> T {
        let result = f(&mut self.users[user], self.now, &mut self.dice);
        self.tell_watches(user);
        self.settle(user);
        result
    }

    pub(crate) fn run_until(&mut self, end: Instant) {
        let mut turns = 0;
        while let Some(entry) = self.due.first_entry() {
            let at = entry.key().0;
            if at > end {
                break;
            }
            turns = if at > self.now { 0 } else { turns + 1 };
            assert!(
                turns < TURNS * (1 + self.users.len() as u32),
                "time stands still at {at}"
            );
            self.now = self.now.max(at);
            let happening = entry.remove();
            self.happen(happening);
        }
        self.now = end;
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    pub(crate) fn schedule(&mut self, at: Instant, happening: Happening) {
        self.ticket += 1;
        self.due.insert((at, self.ticket), happening);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(user) => {
                if self.users[user].wake_at.is_some_and(|at| at <= self.now) {
                    self.users[user].wake_at = None;
                    self.input(user, Input::Tick);
                }
            }
            Happening::Dialed(key) => self.answer_dial(key),
            Happening::ToServer(key, bytes) => self.serve(key, bytes),
            Happening::ToClient((user, conn), data) => {
                let data = self.with_what_follows((user, conn), data);
                let link = self.link_mut((user, conn));
                if link.client_open {
                    link.watch.arrived(data.len());
                    self.input(user, Input::Received { conn, data });
                }
            }
            Happening::ClientSees((user, conn), reason) => {
                let link = self.link_mut((user, conn));
                if std::mem::replace(&mut link.client_open, false) {
                    self.input(user, Input::Disconnected { conn, reason });
                }
            }
            Happening::ServerSees(key) => self.link_mut(key).server_open = false,
            Happening::Says(key, package) => self.say(key, package),
            Happening::Hangs(key) => self.end(key),
            Happening::Writable((user, _)) => self.settle(user),
        }
    }

    /// Bytes of the same moment may be read at once.
    fn with_what_follows(&mut self, key: Key, data: Bytes) -> Bytes {
        let mut all = BytesMut::from(data);
        while let Some(next) = self.due.first_entry() {
            match next.get() {
                Happening::ToClient(of, more) if *of == key && next.key().0 == self.now => {
                    if all.len() + more.len() > READ || self.dice.one_in(3) {
                        break;
                    }
                    all.extend_from_slice(more);
                    next.remove();
                }
                _ => break,
            }
        }
        all.freeze()
    }

    pub(crate) fn input(&mut self, user: usize, input: Input) {
        self.users[user].client.handle_input(self.now, input);
        self.settle(user);
    }

    /// Obeys a client until it has nothing more to say.
    pub(crate) fn settle(&mut self, user: usize) {
        for _ in 0..TURNS {
            let wait = loop {
                match self.users[user].client.poll_output() {
                    Output::Wait { deadline, .. } => break deadline,
                    output => self.obey(user, output),
                }
            };
            self.transmit(user);
            if !self.users[user].client.has_output() {
                self.users[user].check_rest();
                self.check_answers(user);
                return self.sleep(user, wait);
            }
        }
        panic!("the client does not come to rest");
    }

    /// Sets the alarm of a client; sometimes it rings late.
    fn sleep(&mut self, user: usize, wait: Option<Instant>) {
        let late = match self.is_rough && self.dice.one_in(4) {
            true => self.dice.below_ms(LATE.as_millis() as u64),
            false => Duration::ZERO,
        };
        let Some(wait) = wait else {
            self.users[user].wake_at = None;
            return;
        };
        assert!(wait + LATE >= self.now, "a deadline was missed");
        let alarm = wait.max(self.now) + late;
        if self.users[user]
            .wake_at
            .is_none_or(|at| at > alarm || at < wait)
        {
            self.users[user].wake_at = Some(alarm);
            self.schedule(alarm, Happening::Wake(user));
        }
    }

    fn obey(&mut self, user: usize, output: Output) {
        match output {
            Output::Connect { conn, .. } => self.dial((user, conn)),
            Output::Disconnect { conn } => self.hang_up((user, conn)),
            Output::Answer { call, result, .. } => {
                self.users[user].ended(self.now, call, result);
                self.tell_watches(user);
            }
            Output::Event(event) => {
                if let Event::Message(message) = &event {
                    self.check_answered(user, &message.attrs);
                }
                if let Event::State(State::Online { .. }) = event {
                    self.open_watch(user);
                }
                self.users[user].happened(event);
                self.tell_watches(user);
            }
            other => panic!("unexpected {other:?}"),
        }
    }

    pub(crate) fn link(&self, key: Key) -> &Link {
        &self.links[key.0][&key.1]
    }

    pub(crate) fn link_mut(&mut self, key: Key) -> &mut Link {
        self.links[key.0].get_mut(&key.1).expect("a link")
    }

    pub(crate) fn all_links(&self) -> Vec<Key> {
        let users = 0..self.users.len();
        users.flat_map(|user| self.links_of(user)).collect()
    }

    pub(crate) fn links_of(&self, user: usize) -> impl Iterator<Item = Key> + '_ {
        self.links[user].keys().map(move |conn| (user, *conn))
    }

    pub(crate) fn open_links_of(&self, user: usize) -> Vec<Key> {
        let open = self.links[user].iter().filter(|(_, link)| link.client_open);
        open.map(|(conn, _)| (user, *conn)).collect()
    }
}
