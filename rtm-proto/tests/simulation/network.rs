//! What the network does to connections and their bytes.

use std::time::Duration;

use bytes::Bytes;
use rtm_proto::{Input, SocketEnd};

use crate::dice::Dice;
use crate::link::{Key, Link};
use crate::world::{Happening, World};

/// What fills the buffer of a socket.
const LARGE: usize = 50_000;

impl World {
    fn latency(&mut self) -> Duration {
        self.dice.below_ms(self.latency_ms)
    }

    pub(crate) fn dial(&mut self, key: Key) {
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
        match self.dice.roll(12) {
            0 => link.up.cut_after = bytes(&mut self.dice),
            1 => link.down.cut_after = bytes(&mut self.dice),
            2 => link.up.rate = Some(self.dice.rate()),
            3 => link.down.rate = Some(self.dice.rate()),
            _ => {}
        }
    }

    pub(crate) fn answer_dial(&mut self, key: Key) {
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

    pub(crate) fn hang_up(&mut self, key: Key) {
        let at = self.now + self.latency();
        let link = self.link_mut(key);
        assert!(
            std::mem::replace(&mut link.client_open, false),
            "{key:?} is gone already"
        );
        let all_said = !link.always_took || link.watch.owes_nothing();
        assert!(all_said, "{key:?} is left with pushes to answer");
        let at = at.max(link.up.busy_until);
        let is_deaf = link.up.is_deaf;
        if !is_deaf {
            self.schedule(at, Happening::ServerSees(key));
        }
    }

    /// Nothing is taken from the client for a while.
    pub(crate) fn stall(&mut self, key: Key, pause: Duration) {
        let until = self.now + pause;
        self.link_mut(key).stall(until);
        self.schedule(until, Happening::Writable(key));
    }

    pub(crate) fn transmit(&mut self, user: usize) {
        for key in self.open_links_of(user) {
            self.transmit_on(key);
        }
    }

    pub(crate) fn transmit_on(&mut self, key: Key) {
        while self.link(key).takes(self.now) {
            let Some(bytes) = self.users[key.0].client.poll_transmit(key.1) else {
                break;
            };
            self.watch(key, &bytes);
            let is_large = bytes.len() > LARGE;
            self.send_up(key, bytes);
            if self.is_rough && is_large && self.dice.one_in(2) {
                let pause = self.dice.below_ms(5000);
                self.stall(key, pause);
            }
        }
    }

    fn send_up(&mut self, key: Key, bytes: Bytes) {
        let at = self.now + self.latency();
        let link = self.link_mut(key);
        let (passed, ends) = link.up.admit(bytes.len());
        if !link.up.is_deaf && !link.is_cut {
            let bytes = bytes.slice(..passed);
            let is_slow = link.up.rate.is_some();
            for (at, bytes) in link.up.carry(at, bytes, usize::MAX) {
                self.schedule(at, Happening::ToServer(key, bytes));
            }
            if is_slow {
                // The next is taken once this is written.
                let pause = self.link(key).up.busy_until - self.now;
                self.stall(key, pause);
            }
        }
        if ends {
            self.reset(key);
        }
    }

    pub(crate) fn send_down(&mut self, key: Key, bytes: Bytes, two_way: Option<u32>) {
        let at = self.now + self.latency();
        let piece = match self.is_rough && self.dice.one_in(4) {
            true => 1 + self.dice.roll(bytes.len() as u64) as usize,
            false => bytes.len(),
        };
        let link = self.link_mut(key);
        let (passed, ends) = link.down.admit(bytes.len());
        if !link.down.is_deaf && !link.is_cut {
            link.watch.sent_down(bytes.len(), two_way);
            for (at, bytes) in link.down.carry(at, bytes.slice(..passed), piece) {
                self.schedule(at, Happening::ToClient(key, bytes));
            }
        }
        if ends {
            self.reset(key);
        }
    }

    /// The connection breaks; of what is under way much is lost.
    pub(crate) fn reset(&mut self, key: Key) {
        let reason = SocketEnd::Failed("connection reset".into());
        let latest = self.now + Duration::from_millis(self.latency_ms);
        let link = self.link(key);
        let (up, down) = (link.up.busy_until, link.down.busy_until);
        self.cut(key, up.min(latest), down.min(latest), reason);
    }

    /// The service ends the connection; what is under way still arrives.
    pub(crate) fn end(&mut self, key: Key) {
        let link = self.link(key);
        let (up, down) = (link.up.busy_until, link.down.busy_until);
        self.cut(key, up, down, SocketEnd::Eof);
    }

    fn cut(
        &mut self,
        key: Key,
        up: rtm_proto::Instant,
        down: rtm_proto::Instant,
        reason: SocketEnd,
    ) {
        if std::mem::replace(&mut self.link_mut(key).is_cut, true) {
            return;
        }
        self.schedule(up.max(self.now), Happening::ServerSees(key));
        self.schedule(down.max(self.now), Happening::ClientSees(key, reason));
    }
}
