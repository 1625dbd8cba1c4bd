//! What must be true of the bytes that clients hand out.

use bytes::Bytes;

use crate::link::Key;
use crate::user::{News, Promise, parse_attrs};
use crate::world::World;

impl World {
    pub(crate) fn watch(&mut self, key: Key, bytes: &Bytes) {
        let user = &self.users[key.0];
        let link = self.links[key.0].get_mut(&key.1).expect("a link");
        let promised = |text: &str| user.promised(text, key.1);
        link.watch.read(bytes.clone(), promised);
    }

    /// The newest connection with a login carries the session that opens.
    pub(crate) fn open_watch(&mut self, user: usize) {
        let open = self.open_links_of(user).into_iter();
        let mut welcome = open.filter(|key| self.link(*key).session.welcomed);
        let key = welcome.next_back().expect("online without a login");
        let links = self.links[user].get_mut(&key.1);
        let rooms = &self.users[user].rooms;
        links.expect("a link").watch.opened(rooms);
    }

    /// Passes on what the application has learned or asked for.
    pub(crate) fn tell_watches(&mut self, user: usize) {
        let news = std::mem::take(&mut self.users[user].news);
        if news.is_empty() {
            return;
        }
        for key in self.open_links_of(user) {
            news.iter().for_each(|news| self.tell_watch(key, news));
        }
    }

    fn tell_watch(&mut self, key: Key, news: &News) {
        let now = self.now;
        let link = self.link_mut(key);
        let nothing_waits = link.takes(now);
        let watch = &mut link.watch;
        match news {
            News::Entered(room) => watch.entered(*room),
            News::Left(room) if nothing_waits => watch.left(*room),
            News::Left(room) | News::LostRoom(room) => watch.lost(*room),
            News::Text { text, waits } if watch.is_online => {
                let promise = Promise {
                    pushes_before: watch.last_reached(),
                    after_restoring: *waits,
                };
                self.users[key.0].promise(text, key.1, promise);
            }
            News::Text { .. } => {}
        }
    }

    /// A message comes out only after its answer, and those before it.
    pub(crate) fn check_answered(&mut self, user: usize, attrs: &str) {
        let (nth, push) = parse_attrs(attrs);
        let key = self.links_of(user).nth(nth as usize - 1).expect("a link");
        let link = self.link(key);
        // The news that a session has opened, or lost a room, may come behind.
        if link.takes(self.now) && link.watch.is_settled() {
            self.transmit_on(key);
            let is_answered = self.link(key).watch.is_answered(push);
            assert!(is_answered, "push {push} came out before its answer");
        }
    }

    /// Where nothing holds the client up, it owes no answer.
    pub(crate) fn check_answers(&self, user: usize) {
        for key in self.open_links_of(user) {
            let link = self.link(key);
            let all_said = !link.takes(self.now) || link.watch.owes_nothing();
            assert!(all_said, "{key:?} owes an answer");
        }
    }
}
