//! Clients, network, service and clock.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use rtm_proto::frame::Frame;
use rtm_proto::{Client, Config, ConnId, Event, Input, Instant, Output, SocketEnd, State};

use crate::dice::Dice;
use crate::link::{Key, Link};
use crate::service::{Reaction, Service};
use crate::user::{LATE, User};
use crate::wire;

pub(crate) const START: Instant = Instant::from_duration(Duration::from_secs(1000));
const UNIX: Duration = Duration::from_millis(1_591_322_544_000);

/// More turns without a step in time than any run needs.
const TURNS: u32 = 1000;

enum Happening {
    Wake(usize),
    Dialed(Key),
    ToServer(Key, Bytes),
    ToClient(Key, Bytes),
    ClientSees(Key, SocketEnd),
    ServerSees(Key),
    Says(Key, Bytes),
    Hangs(Key),
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
    next_mid: i64,
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

    fn schedule(&mut self, at: Instant, happening: Happening) {
        self.ticket += 1;
        self.due.insert((at, self.ticket), happening);
    }

    fn latency(&mut self) -> Duration {
        self.dice.below_ms(self.latency_ms)
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
                if self.link((user, conn)).client_open {
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
            Happening::Hangs(key) => self.cut(key, SocketEnd::Eof),
        }
    }

    fn input(&mut self, user: usize, input: Input) {
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
            Output::Answer { call, result, .. } => self.users[user].ended(self.now, call, result),
            Output::Event(event) => {
                if let Event::State(State::Online { .. }) = event {
                    assert!(self.is_welcome(user), "online without a login");
                }
                self.users[user].happened(event);
            }
            other => panic!("unexpected {other:?}"),
        }
    }

    fn is_welcome(&self, user: usize) -> bool {
        let mut links = self.links_of(user).map(|key| self.link(key));
        links.any(|link| link.session.welcomed && link.client_open)
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

    fn dial(&mut self, key: Key) {
        assert!(!self.users[key.0].kicked, "a login after a kickout");
        self.dialed.push((self.now, key.0));
        let mut link = Link::new();
        if self.is_rough {
            self.plan_faults(&mut link);
        }
        let before = self.links[key.0].insert(key.1, link);
        assert!(before.is_none(), "{key:?} came twice");
        if !(self.is_rough && self.dice.one_in(40)) {
            let at = self.now + self.latency() * 2;
            self.schedule(at, Happening::Dialed(key));
        }
    }

    fn plan_faults(&mut self, link: &mut Link) {
        let bytes = |dice: &mut Dice| Some(dice.roll(2000) as usize);
        match self.dice.roll(8) {
            0 => link.up.cut_after = bytes(&mut self.dice),
            1 => link.down.cut_after = bytes(&mut self.dice),
            _ => {}
        }
    }

    fn answer_dial(&mut self, key: Key) {
        let (user, conn) = key;
        let is_up = self.service.is_up;
        let link = self.link_mut(key);
        if !link.client_open {
            return;
        }
        if is_up {
            (link.connected, link.server_open) = (true, true);
            self.input(user, Input::Connected { conn });
        } else {
            link.client_open = false;
            let reason = "connection refused".into();
            self.input(user, Input::ConnectFailed { conn, reason });
        }
    }

    fn hang_up(&mut self, key: Key) {
        let at = self.now + self.latency();
        let link = self.link_mut(key);
        assert!(
            std::mem::replace(&mut link.client_open, false),
            "{key:?} is gone already"
        );
        let at = at.max(link.up.busy_until);
        let is_deaf = link.up.is_deaf;
        if !is_deaf {
            self.schedule(at, Happening::ServerSees(key));
        }
    }

    fn transmit(&mut self, user: usize) {
        let now = self.now;
        let ready = |link: &Link| link.client_open && link.connected && link.stalled_until <= now;
        let keys: Vec<Key> = self.links_of(user).collect();
        for key in keys {
            while ready(self.link(key)) {
                let Some(bytes) = self.users[user].client.poll_transmit(key.1) else {
                    break;
                };
                self.send_up(key, bytes);
            }
        }
    }

    fn send_up(&mut self, key: Key, bytes: Bytes) {
        let arrival = self.now + self.latency();
        let link = self.link_mut(key);
        let (passed, ends) = link.up.admit(bytes.len());
        if !link.up.is_deaf && !link.is_cut {
            let arrival = arrival.max(link.up.busy_until);
            link.up.busy_until = arrival;
            self.schedule(arrival, Happening::ToServer(key, bytes.slice(..passed)));
        }
        if ends {
            self.reset(key);
        }
    }

    fn send_down(&mut self, key: Key, bytes: Bytes) {
        let arrival = self.now + self.latency();
        let link = self.link_mut(key);
        let (passed, ends) = link.down.admit(bytes.len());
        if !link.down.is_deaf && !link.is_cut && passed > 0 {
            let mut arrival = arrival.max(link.down.busy_until);
            let mut rest = bytes.slice(..passed);
            let piece = match self.is_rough && self.dice.one_in(4) {
                true => 1 + self.dice.roll(rest.len() as u64) as usize,
                false => rest.len(),
            };
            while !rest.is_empty() {
                let chunk = rest.split_to(piece.min(rest.len()));
                self.schedule(arrival, Happening::ToClient(key, chunk));
                arrival = arrival + Duration::from_micros(100);
            }
            self.link_mut(key).down.busy_until = arrival;
        }
        if ends {
            self.reset(key);
        }
    }

    pub(crate) fn reset(&mut self, key: Key) {
        self.cut(key, SocketEnd::Failed("connection reset".into()));
    }

    /// Ends a connection for both sides; what is under way still arrives.
    fn cut(&mut self, key: Key, reason: SocketEnd) {
        let now = self.now;
        let link = self.link_mut(key);
        if std::mem::replace(&mut link.is_cut, true) {
            return;
        }
        let (up, down) = (link.up.busy_until.max(now), link.down.busy_until.max(now));
        self.schedule(up, Happening::ServerSees(key));
        self.schedule(down, Happening::ClientSees(key, reason));
    }

    fn serve(&mut self, key: Key, bytes: Bytes) {
        let link = self.link_mut(key);
        if !link.server_open {
            return;
        }
        let (frames, reply) = link.wire.feed(bytes);
        if !reply.is_empty() {
            self.send_down(key, reply);
        }
        for frame in frames {
            let Frame::Quest(quest) = frame else { continue };
            let links = &mut self.links[key.0];
            let session = &mut links.get_mut(&key.1).expect("a link").session;
            let Reaction { answer, closes } =
                self.service.asked(key.0, session, &quest, &mut self.dice);
            match answer {
                Some((pause, package)) if pause.is_zero() => self.say(key, package),
                Some((pause, package)) => {
                    self.schedule(self.now + pause, Happening::Says(key, package))
                }
                None => {}
            }
            if closes {
                let at = self.now + self.dice.below_ms(20);
                self.schedule(at, Happening::Hangs(key));
            }
        }
    }

    fn say(&mut self, key: Key, package: Bytes) {
        let link = self.link(key);
        if link.server_open {
            let bytes = link.wire.wrap(package);
            self.send_down(key, bytes);
        }
    }

    /// A fresh id for a message to be pushed.
    pub(crate) fn next_mid(&mut self) -> i64 {
        self.next_mid += 1;
        self.next_mid
    }

    /// Pushes a message to every session of a user; its attributes say on
    /// which connection it goes and as which.
    pub(crate) fn push_message(&mut self, user: usize, mid: i64) {
        for key in self.sessions_of(user) {
            let nth = self.links_of(user).position(|of| of == key).unwrap() as i64;
            let session = &mut self.link_mut(key).session;
            session.pushed += 1;
            let attrs = format!("{} {}", nth + 1, session.pushed);
            let body = wire::map(&[
                ("from", 1.into()),
                ("mtype", 30.into()),
                ("mid", mid.into()),
                ("msg", "x".into()),
                ("attrs", attrs.into()),
            ]);
            self.say(key, wire::push(1, "pushmsg", &body));
        }
    }

    pub(crate) fn push(&mut self, user: usize, method: &str) {
        for key in self.sessions_of(user) {
            self.say(key, wire::push(1, method, &wire::map(&[])));
        }
    }

    pub(crate) fn sessions_of(&self, user: usize) -> Vec<Key> {
        let welcome = |key: &Key| {
            let link = self.link(*key);
            link.session.welcomed && !link.session.left && link.server_open
        };
        self.links_of(user).filter(welcome).collect()
    }

    /// Every connection ends, and none can be made until `is_up` is set again.
    pub(crate) fn take_down(&mut self) {
        self.service.is_up = false;
        for key in self.all_links() {
            if self.link(key).server_open {
                self.reset(key);
            }
        }
    }
}
