//! The messages that are kept.

use crate::area::{Message, Target};
use std::collections::{BTreeMap, VecDeque};

/// Messages kept per conversation; `rtm-doc`, limits of 2018.
const MAX_KEPT: usize = 500;
/// Conversations kept; the one that was silent longest gives way.
const MAX_CONVERSATIONS: usize = 10_000;

/// Where messages are kept together. Both directions between two users are one conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Conversation {
    /// The smaller id first.
    Users(i64, i64),
    Group(i64),
    Room(i64),
    Everybody,
}

impl Conversation {
    pub(crate) fn between(one: i64, other: i64) -> Self {
        Self::Users(one.min(other), one.max(other))
    }

    fn of(message: &Message) -> Self {
        match message.target {
            Target::User(to) => Self::between(message.from, to),
            Target::Group(gid) => Self::Group(gid),
            Target::Room(rid) => Self::Room(rid),
            Target::Everybody => Self::Everybody,
        }
    }
}

/// A kept message.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Rises over all conversations.
    pub(crate) id: i64,
    pub(crate) deleted: bool,
    pub(crate) message: Message,
}

/// What to look for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub(crate) newest_first: bool,
    pub(crate) count: usize,
    /// Both inclusive; 0 is no bound.
    pub(crate) begin: i64,
    pub(crate) end: i64,
    /// Exclusive; 0 is the first page.
    pub(crate) last_id: i64,
    /// Empty is any.
    pub(crate) mtypes: Vec<i64>,
}

impl Query {
    fn wants(&self, record: &Record) -> bool {
        let time = record.message.mtime;
        let beyond_cursor = match self.last_id {
            0 => true,
            last if self.newest_first => record.id < last,
            last => record.id > last,
        };
        beyond_cursor
            && (self.begin == 0 || time >= self.begin)
            && (self.end == 0 || time <= self.end)
            && (self.mtypes.is_empty() || self.mtypes.contains(&record.message.mtype))
    }
}

/// All conversations.
#[derive(Debug, Default)]
pub(crate) struct History {
    conversations: BTreeMap<Conversation, VecDeque<Record>>,
    by_age: BTreeMap<i64, Conversation>,
    last_id: i64,
}

impl History {
    pub(crate) fn keep(&mut self, message: &Message) {
        self.last_id += 1;
        let key = Conversation::of(message);
        let records = self.conversations.entry(key).or_default();
        if let Some(last) = records.back() {
            self.by_age.remove(&last.id);
        }
        self.by_age.insert(self.last_id, key);
        records.push_back(Record {
            id: self.last_id,
            deleted: false,
            message: message.clone(),
        });
        if records.len() > MAX_KEPT {
            records.pop_front();
        }
        if self.by_age.len() > MAX_CONVERSATIONS
            && let Some((_, silent)) = self.by_age.pop_first()
        {
            self.conversations.remove(&silent);
        }
    }

    /// The records that a query finds, in its order.
    pub(crate) fn find(&self, conversation: Conversation, query: &Query) -> Vec<&Record> {
        let records = self.conversations.get(&conversation).into_iter().flatten();
        let wanted = records.filter(|record| query.wants(record));
        if query.newest_first {
            wanted.rev().take(query.count).collect()
        } else {
            wanted.take(query.count).collect()
        }
    }

    /// The newest message of this id, of this sender if one is named, that is not deleted.
    pub(crate) fn message(
        &mut self,
        conversation: Conversation,
        mid: i64,
        from: Option<i64>,
    ) -> Option<&mut Record> {
        self.conversations
            .get_mut(&conversation)?
            .iter_mut()
            .rev()
            .find(|record| {
                let message = &record.message;
                message.mid == mid
                    && from.is_none_or(|from| message.from == from)
                    && !record.deleted
            })
    }

    pub(crate) fn conversations(&self) -> impl Iterator<Item = &Conversation> {
        self.conversations.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(target: Target, mid: i64) -> Message {
        Message {
            target,
            from: 1,
            mid,
            mtype: 30 + mid % 2,
            body: "x".into(),
            attrs: String::new(),
            mtime: 1000 + mid,
        }
    }

    fn found(history: &History, query: &Query) -> Vec<i64> {
        let records = history.find(Conversation::Group(7), query);
        records.iter().map(|record| record.message.mid).collect()
    }

    #[test]
    fn queries_page_in_both_directions_within_bounds_and_types() {
        let mut history = History::default();
        for mid in 0..10 {
            history.keep(&message(Target::Group(7), mid));
            history.keep(&message(Target::Room(7), mid));
        }
        let query = Query {
            count: 3,
            ..Query::default()
        };
        assert_eq!(found(&history, &query), [0, 1, 2]);
        let newest = Query {
            newest_first: true,
            ..query.clone()
        };
        assert_eq!(found(&history, &newest), [9, 8, 7]);
        let last_id = history.find(Conversation::Group(7), &newest)[2].id;
        let next = Query { last_id, ..newest };
        assert_eq!(found(&history, &next), [6, 5, 4]);
        let bounded = Query {
            begin: 1004,
            end: 1006,
            ..query.clone()
        };
        assert_eq!(found(&history, &bounded), [4, 5, 6]);
        let odd = Query {
            mtypes: vec![31],
            ..query
        };
        assert_eq!(found(&history, &odd), [1, 3, 5]);
    }

    #[test]
    fn messages_and_conversations_are_bounded() {
        let mut history = History::default();
        for mid in 0..=MAX_KEPT as i64 {
            history.keep(&message(Target::Group(7), mid));
        }
        let first = Query {
            count: 1,
            ..Query::default()
        };
        assert_eq!(found(&history, &first), [1]);
        for rid in 0..MAX_CONVERSATIONS as i64 {
            history.keep(&message(Target::Room(rid), 1));
        }
        assert_eq!(history.conversations.len(), MAX_CONVERSATIONS);
        assert!(found(&history, &first).is_empty());
    }

    #[test]
    fn both_directions_between_two_users_are_one_conversation() {
        let mut history = History::default();
        history.keep(&message(Target::User(2), 5));
        let found = history.message(Conversation::between(2, 1), 5, None);
        found.unwrap().deleted = true;
        assert!(
            history
                .message(Conversation::between(1, 2), 5, Some(1))
                .is_none()
        );
    }
}
