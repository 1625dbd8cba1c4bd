//! A service that keeps a history, and what of it is wanted.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use rmpv::Value;
use rtm_proto::api::{GetHistory, HistoryQuery};
use rtm_proto::payload::{Encoding, Payload, PayloadWriter};
use rtm_proto::{Context, GroupId, MessageType, Request};

use crate::peer::map;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Kept,
    /// Deleted, and listed as such.
    Marked,
    /// Deleted, and counted but no longer listed.
    Gone,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) cursor: i64,
    time: i64,
    mtype: u8,
    pub(super) fate: Fate,
}

/// A service that keeps the history of one group.
pub(super) struct Service {
    pub(super) stored: Vec<Stored>,
    /// The newest there ever was: where it stood, and when.
    newest: (i64, i64),
    /// Whether it returns the span that is left, or none.
    narrows_span: bool,
}

/// How far on the next message is, how much later, its type and its fate.
pub(super) type Gap = (i64, i64, u8, Fate);

pub(super) fn gap() -> impl Strategy<Value = Gap> {
    let fate = prop_oneof![
        4 => Just(Fate::Kept),
        1 => Just(Fate::Marked),
        1 => Just(Fate::Gone),
    ];
    // Most messages share a millisecond with their neighbour.
    (
        1..4_i64,
        prop_oneof![3 => Just(0_i64), 1 => 1..3_i64],
        30..33_u8,
        fate,
    )
}

/// What to read.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) newest_first: bool,
    page_size: u32,
    since: Option<i64>,
    until: Option<i64>,
    cursor: Option<i64>,
    types: Option<Vec<u8>>,
    pub(super) limit: Option<u64>,
}

pub(super) fn wanted() -> impl Strategy<Value = Wanted> {
    let span = (of(1000..1030_i64), of(1000..1030_i64));
    let types = of(vec(30..33_u8, 1..3));
    let order = (any::<bool>(), 1..=20_u32);
    (order, span, of(1..120_i64), types, of(0..70_u64)).prop_map(
        |((newest_first, page_size), (since, until), cursor, types, limit)| Wanted {
            newest_first,
            page_size,
            since,
            until,
            cursor,
            types,
            limit,
        },
    )
}

impl Wanted {
    pub(super) fn query(&self) -> HistoryQuery {
        let mut query = HistoryQuery::new(GroupId(7)).page_size(self.page_size);
        if !self.newest_first {
            query = query.oldest_first();
        }
        if let Some(time) = self.since {
            query = query.since_ms(time);
        }
        if let Some(time) = self.until {
            query = query.until_ms(time);
        }
        if let Some(cursor) = self.cursor {
            query = query.cursor(cursor);
        }
        if let Some(types) = &self.types {
            query = query.message_types(types.iter().copied().map(MessageType));
        }
        if let Some(limit) = self.limit {
            query = query.limit(limit);
        }
        query
    }

    /// The cursors of what is listed, read at once.
    pub(super) fn of(&self, stored: &[Stored]) -> Vec<(i64, bool)> {
        let (since, until) = (self.since.unwrap_or(0), self.until.unwrap_or(i64::MAX));
        let mut all: Vec<&Stored> = stored.iter().collect();
        if self.newest_first {
            all.reverse();
        }
        let is_behind = |one: &&Stored| match self.cursor {
            None => true,
            Some(cursor) if self.newest_first => one.cursor < cursor,
            Some(cursor) => one.cursor > cursor,
        };
        let is_listed = |one: &&Stored| {
            let types = self.types.as_ref();
            (since..=until).contains(&one.time)
                && types.is_none_or(|types| types.contains(&one.mtype))
                && one.fate != Fate::Gone
        };
        let listed = all.into_iter().filter(is_behind).filter(is_listed);
        let limit = self.limit.map_or(usize::MAX, |limit| limit as usize);
        listed
            .map(|one| (one.cursor, one.fate == Fate::Marked))
            .take(limit)
            .collect()
    }
}

/// The fields of a request, as `rmpv` reads them.
struct Asked(Value);

impl Asked {
    fn read(mut body: &[u8]) -> Self {
        Asked(rmpv::decode::read_value(&mut body).unwrap())
    }

    fn field(&self, name: &str) -> Option<&Value> {
        let mut entries = self.0.as_map().unwrap().iter();
        let found = entries.find(|(key, _)| key.as_str() == Some(name))?;
        Some(&found.1)
    }

    /// Zero means the same as nothing.
    fn number(&self, name: &str) -> Option<i64> {
        let number = self.field(name)?.as_i64().unwrap();
        Some(number).filter(|number| *number != 0)
    }
}

impl Service {
    pub(super) fn new(gaps: &[Gap], narrows_span: bool) -> Self {
        let mut service = Service {
            stored: Vec::new(),
            newest: (0, 1000),
            narrows_span,
        };
        gaps.iter().for_each(|gap| service.keep(*gap));
        service
    }

    pub(super) fn keep(&mut self, (further, later, mtype, fate): Gap) {
        let (cursor, time) = (self.newest.0 + further, self.newest.1 + later);
        self.newest = (cursor, time);
        self.stored.push(Stored {
            cursor,
            time,
            mtype,
            fate,
        });
    }

    /// The answer to a request of the pager.
    pub(super) fn answer(&self, request: &GetHistory) -> Payload {
        let mut out = BytesMut::new();
        let mut writer = PayloadWriter::new(&mut out);
        let mut context = Context::default();
        context.check_arguments = true;
        request.encode(&context, &mut writer).unwrap();
        writer.finish().unwrap();
        let body = self.answer_to(&out);
        Payload::new(Encoding::MsgPack, Bytes::from(body)).unwrap()
    }

    /// The body of the answer to a quest with this body.
    pub(super) fn answer_to(&self, body: &[u8]) -> Vec<u8> {
        let asked = Asked::read(body);
        let newest_first = asked.field("desc").unwrap().as_bool().unwrap();
        let types = asked.field("mtypes").map(|types| {
            let types = types.as_array().unwrap().iter();
            types.map(|mtype| mtype.as_u64().unwrap() as u8).collect()
        });
        let (since, until) = (asked.number("begin"), asked.number("end"));
        let page = Wanted {
            newest_first,
            page_size: 0,
            since,
            until,
            cursor: asked.number("lastid"),
            types,
            limit: asked.number("num").map(|count| count as u64),
        };
        // Those that are gone still fill their place on the page.
        let as_counted = |one: &Stored| Stored {
            fate: Fate::Kept,
            ..*one
        };
        let counted: Vec<Stored> = self.stored.iter().map(as_counted).collect();
        let found: Vec<Stored> = page
            .of(&counted)
            .iter()
            .map(|(cursor, _)| {
                *self
                    .stored
                    .iter()
                    .find(|one| one.cursor == *cursor)
                    .unwrap()
            })
            .collect();
        let last = found.last();
        let (mut begin, mut end) = (since.unwrap_or(0), until.unwrap_or(0));
        if let (true, Some(last)) = (self.narrows_span, last) {
            *(if newest_first { &mut end } else { &mut begin }) = last.time;
        }
        let listed = found.iter().filter(|one| one.fate != Fate::Gone);
        map(&[
            ("num", found.len().into()),
            (
                "lastid",
                last.map_or(page.cursor.unwrap_or(0), |last| last.cursor)
                    .into(),
            ),
            ("begin", begin.into()),
            ("end", end.into()),
            ("msgs", Value::Array(listed.map(record).collect())),
        ])
    }
}

fn record(one: &Stored) -> Value {
    Value::Array(vec![
        one.cursor.into(),
        1.into(),
        one.mtype.into(),
        one.cursor.into(),
        (one.fate == Fate::Marked).into(),
        "x".into(),
        "".into(),
        one.time.into(),
    ])
}
