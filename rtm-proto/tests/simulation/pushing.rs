//! What the service says: answers and pushes.

use bytes::Bytes;
use rmpv::Value;
use rtm_proto::frame::Frame;

use crate::link::Key;
use crate::service::Reaction;
use crate::wire;
use crate::world::{Happening, World};

impl World {
    pub(crate) fn serve(&mut self, key: Key, bytes: Bytes) {
        let link = self.link_mut(key);
        if !link.server_open {
            return;
        }
        let (frames, reply) = link.wire.feed(bytes);
        if !reply.is_empty() {
            self.send_down(key, reply, None);
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

    pub(crate) fn say(&mut self, key: Key, package: Bytes) {
        self.say_push(key, package, None);
    }

    fn say_push(&mut self, key: Key, package: Bytes, two_way: Option<u32>) {
        let link = self.link(key);
        if link.server_open {
            let bytes = link.wire.wrap(package);
            self.send_down(key, bytes, two_way);
        }
    }

    /// A fresh id for a message to be pushed.
    pub(crate) fn next_mid(&mut self) -> i64 {
        self.next_mid += 1;
        self.next_mid
    }

    /// Pushes a message to every session of a user.
    pub(crate) fn push_message(&mut self, user: usize, mid: i64) {
        for key in self.sessions_of(user) {
            let fields = [
                ("from", 1.into()),
                ("mtype", 30.into()),
                ("mid", mid.into()),
                ("msg", "x".into()),
            ];
            self.push_on(key, "pushmsg", &fields);
        }
    }

    pub(crate) fn push(&mut self, user: usize, method: &str) {
        for key in self.sessions_of(user) {
            self.push_on(key, method, &[]);
        }
    }

    /// Throws a user out of the room it entered last.
    pub(crate) fn push_out_of_room(&mut self, user: usize) {
        for key in self.sessions_of(user) {
            if let Some(room) = self.link_mut(key).session.rooms.pop() {
                self.push_on(key, "kickoutroom", &[("rid", room.into())]);
            }
        }
    }

    /// Pushes on one connection; the attributes say on which and as which. Now
    /// and then no answer is wanted.
    fn push_on(&mut self, key: Key, method: &str, fields: &[(&str, Value)]) {
        let nth = self.links_of(key.0).position(|of| of == key).unwrap() + 1;
        let two_way = !(self.is_rough && self.dice.one_in(8));
        let session = &mut self.link_mut(key).session;
        session.pushed += 1;
        let number = session.pushed;
        let mut fields = fields.to_vec();
        fields.push(("attrs", format!("{nth} {number}").into()));
        let two_way = two_way.then_some(number);
        let package = wire::push(two_way, method, &wire::map(&fields));
        self.say_push(key, package, two_way);
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
