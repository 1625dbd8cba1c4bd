//! What becomes of pushes.
//!
//! Pushes of the service carry a tag that no damage turns into another one, so
//! that it is known which push an event is.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rtm_proto::payload::Payload;
use rtm_proto::{ConnId, Conversation, Event, Instant, Message, UserId};

/// Tells pushes apart; rises with the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag(u64);

impl Tag {
    /// As it stands in a push. Two of them differ in many digits.
    pub(super) fn text(self) -> String {
        format!("{:016x}", self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

/// A push that came to the client unharmed.
struct Owed {
    tag: Tag,
    /// It may be taken for the repetition of another, or for meaningless.
    may_be_dropped: bool,
}

type Key = (Conversation, Option<UserId>, UserId, i64);

/// All pushes with a tag.
pub(super) struct Pushes {
    lifetime: Duration,
    made: u64,
    /// The tag of each text.
    texts: BTreeMap<String, Tag>,
    /// Where a push went, unless that connection was damaged.
    went_to: BTreeMap<Tag, ConnId>,
    owed: BTreeMap<ConnId, VecDeque<Owed>>,
    /// When each message was delivered last.
    delivered: BTreeMap<Key, Instant>,
}

impl Pushes {
    pub(super) fn new(lifetime: Duration) -> Self {
        Pushes {
            lifetime,
            made: 0,
            texts: BTreeMap::new(),
            went_to: BTreeMap::new(),
            owed: BTreeMap::new(),
            delivered: BTreeMap::new(),
        }
    }

    pub(super) fn tag(&mut self) -> Tag {
        self.made += 1;
        let tag = Tag(self.made);
        self.texts.insert(tag.text(), tag);
        tag
    }

    /// A push goes to the client.
    pub(super) fn sent(&mut self, conn: ConnId, tag: Tag, has_id: bool, may_be_ignored: bool) {
        let may_be_dropped = may_be_ignored || (has_id && !self.lifetime.is_zero());
        self.went_to.insert(tag, conn);
        self.owed.entry(conn).or_default().push_back(Owed {
            tag,
            may_be_dropped,
        });
    }

    /// From now on nobody knows what comes on a connection.
    pub(super) fn damaged(&mut self, conn: ConnId) {
        self.owed.remove(&conn);
        self.went_to.retain(|_, to| *to != conn);
    }

    /// The push that an event is, if it has a tag, and where it went.
    pub(super) fn of_event(&self, event: &Event) -> Option<(ConnId, Tag)> {
        let text = match event {
            Event::Message(message) => message.body.as_text().map(str::to_owned),
            Event::Unknown { payload, .. }
            | Event::Undecodable { payload, .. }
            | Event::KickedOut(payload) => tag_of(payload),
            _ => None,
        };
        let tag = *self.texts.get(&text?)?;
        Some((*self.went_to.get(&tag)?, tag))
    }

    /// Checks that a push is the next one of its connection.
    pub(super) fn delivered(&mut self, conn: ConnId, tag: Tag) {
        let owed = self.owed.get_mut(&conn).expect("it went there");
        loop {
            let next = owed.pop_front().expect("delivered twice, or out of order");
            if next.tag == tag {
                return;
            }
            assert!(next.may_be_dropped, "{:?} was passed over", next.tag);
        }
    }

    /// Checks that a message is no repetition.
    pub(super) fn check_new(&mut self, message: &Message, now: Instant) {
        if message.message_id.is_none() {
            return;
        }
        let to = match message.conversation {
            Conversation::P2p => message.recipient,
            _ => None,
        };
        let (from, id) = (message.sender, message.message_id.0);
        let key = (message.conversation, to, from, id);
        if let Some(before) = self.delivered.insert(key, now) {
            assert!(
                now >= before + self.lifetime,
                "a repetition was delivered: {message:?}"
            );
        }
    }

    /// Checks that nothing that went to a connection was forgotten.
    pub(super) fn check_all_delivered(&self, conn: ConnId) {
        let mut owed = self.owed.get(&conn).into_iter().flatten();
        let forgotten = owed.find(|push| !push.may_be_dropped);
        assert!(
            forgotten.is_none(),
            "{:?} was not delivered",
            forgotten.map(|push| push.tag)
        );
    }
}

fn tag_of(payload: &Payload) -> Option<String> {
    let value = payload.to_value().ok()?;
    let fields = value.as_map()?.iter();
    let mut tags = fields.filter(|(key, _)| key.as_str() == Some("tag"));
    Some(tags.next()?.1.as_str()?.to_owned())
}
