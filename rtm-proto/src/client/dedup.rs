//! Drops messages that arrive twice.

use alloc::collections::{BTreeSet, VecDeque};
use core::time::Duration;

use crate::event::{Conversation, Message};
use crate::time::Instant;

const CAPACITY: usize = 65_536;

type Key = (u8, i64, i64, i64);

/// Remembers messages for a fixed time from their first sighting.
///
/// A repeated sighting does not renew an entry, so entries expire in the order
/// in which they came.
#[derive(Debug)]
pub(super) struct Dedup {
    lifetime: Duration,
    seen: BTreeSet<Key>,
    order: VecDeque<(Instant, Key)>,
}

impl Dedup {
    pub(super) const fn new(lifetime: Duration) -> Self {
        Dedup {
            lifetime,
            seen: BTreeSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Whether `message` is a repetition; remembers it if it is not.
    pub(super) fn is_duplicate(&mut self, now: Instant, message: &Message) -> bool {
        if message.message_id.is_none() || self.lifetime.is_zero() {
            return false;
        }
        self.forget_until(now);
        let key = key(message);
        if !self.seen.insert(key) {
            return true;
        }
        self.order.push_back((now + self.lifetime, key));
        if self.order.len() > CAPACITY {
            self.forget_first();
        }
        false
    }

    fn forget_until(&mut self, now: Instant) {
        while self
            .order
            .front()
            .is_some_and(|(expires, _)| *expires <= now)
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.seen.remove(&key);
        }
    }
}

fn key(message: &Message) -> Key {
    let (kind, target) = match message.conversation {
        Conversation::P2p => (1, message.recipient.map_or(0, |to| to.0)),
        Conversation::Group(group) => (2, group.0),
        Conversation::Room(room) => (3, room.0),
        Conversation::Broadcast => (4, 0),
    };
    (kind, target, message.sender.0, message.message_id.0)
}
