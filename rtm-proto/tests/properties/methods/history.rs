//! Pages of histories.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use rmpv::Value;
use rtm_proto::api::*;
use rtm_proto::{Body, Context, GroupId, MessageType, RoomId, UserId};

use super::check::Method;
use super::messages::texts_of;
use super::methods;
use super::values::{Said, Texts, given, id, lenient, said};

/// What is asked for: order, count, begin, end, cursor, types.
type Asked = (
    bool,
    u32,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<Vec<u8>>,
);

fn asked() -> impl Strategy<Value = Asked> {
    (
        any::<bool>(),
        any::<u32>(),
        of(id()),
        of(id()),
        of(id()),
        of(vec(any::<u8>(), 0..6)),
    )
}

/// A record: what is on the wire, and what it reads as.
type Record = (Value, Seen);

/// Cursor, sender, type, message id, deleted, body, attributes, time,
/// translation.
type Seen = (i64, i64, u8, i64, bool, Body, String, i64, Option<Texts>);

/// What may be missing from a record: its body and its attributes.
fn record() -> impl Strategy<Value = Record> {
    let absent = Said {
        wire: Value::Nil,
        body: Body::from(""),
        translation: None,
    };
    let said = prop_oneof![4 => said(), 1 => Just(absent)];
    let attrs = prop_oneof![4 => lenient(), 1 => Just((Value::Nil, String::new()))];
    let ids = (id(), id(), any::<u8>(), id(), any::<bool>());
    (ids, said, attrs, id(), 0..3_usize).prop_map(|(ids, said, (attrs, attrs_read), time, more)| {
        let (cursor, from, mtype, mid, deleted) = ids;
        let mut wire: Vec<Value> = vec![
            cursor.into(),
            from.into(),
            mtype.into(),
            mid.into(),
            deleted.into(),
            said.wire,
            attrs,
            time.into(),
        ];
        wire.extend(vec![Value::Nil; more]);
        let seen = (
            cursor,
            from,
            mtype,
            mid,
            deleted,
            said.body,
            attrs_read,
            time,
            said.translation,
        );
        (Value::Array(wire), seen)
    })
}

/// A page: count, cursor, begin, end, records.
type Page = (u32, i64, i64, i64, Vec<Record>);

fn page() -> impl Strategy<Value = Page> {
    (any::<u32>(), id(), id(), id(), vec(record(), 0..6))
}

fn seen(record: HistoryRecord) -> Seen {
    let translation = record.translation.map(|translation| texts_of(*translation));
    (
        record.cursor,
        record.sender.0,
        record.message_type.0,
        record.message_id.0,
        record.deleted,
        record.body,
        record.attrs,
        record.time_ms,
        translation,
    )
}

fn request(target: Target, asked: &Asked) -> GetHistory {
    let (newest_first, count, since, until, cursor, types) = asked;
    let mut request = match newest_first {
        true => GetHistory::new(target, *count),
        false => GetHistory::new(target, *count).oldest_first(),
    };
    if let Some(time) = since {
        request = request.since_ms(*time);
    }
    if let Some(time) = until {
        request = request.until_ms(*time);
    }
    if let Some(cursor) = cursor {
        request = request.cursor(*cursor);
    }
    if let Some(types) = types {
        request = request.message_types(types.iter().copied().map(MessageType));
    }
    request
}

fn check_write(method: &Method, target: Target, id: Option<(&str, i64)>, asked: &Asked) {
    let (newest_first, count, since, until, cursor, types) = asked.clone();
    let types = types.map(|types| Value::Array(types.into_iter().map(Value::from).collect()));
    let mut fields = given([
        ("desc", Some(newest_first.into())),
        ("num", Some(count.into())),
        ("begin", since.map(Value::from)),
        ("end", until.map(Value::from)),
        ("lastid", cursor.map(Value::from)),
        ("mtypes", types),
    ]);
    fields.extend(id.map(|(name, id)| (name, Value::from(id))));
    method.writes(&request(target, asked), &fields);
}

/// As the user `me` reads it.
fn check_read(method: &Method, target: Target, me: i64, asked: &Asked, page: Page) {
    let (count, cursor, since, until, records) = page;
    let (wires, mut expected): (Vec<Value>, Vec<Seen>) = records.into_iter().unzip();
    if let Target::User(peer) = target {
        for record in &mut expected {
            let is_mine = record.1 == 1;
            record.1 = if is_mine { me } else { peer.0 };
        }
    }
    let answer = [
        ("num", count.into()),
        ("lastid", cursor.into()),
        ("begin", since.into()),
        ("end", until.into()),
        ("msgs", Value::Array(wires)),
    ];
    let required = answer.each_ref().map(|(name, _)| *name);
    let request = request(target, asked);
    method.reads(&request, &required, &answer, |page| page.count, &count);
    let mut context = Context::default();
    context.user_id = UserId(me);
    let view = |page: HistoryPage| {
        for record in &page.records {
            assert_eq!(record.conversation, target.conversation());
            let recipient = match target {
                Target::User(peer) if record.sender == peer => Some(UserId(me)),
                Target::User(peer) => Some(peer),
                _ => None,
            };
            assert_eq!(record.recipient, recipient);
        }
        let records = page.records.into_iter().map(seen);
        let records: Vec<Seen> = records.collect();
        (
            page.count,
            page.cursor,
            page.since_ms,
            page.until_ms,
            records,
        )
    };
    let expected = (count, cursor, since, until, expected);
    method.reads_in(&context, &request, &answer, view, &expected);
}

methods! {
    "getp2pmsg" => history_with_a_user |method| (
        (me, peer) in (id(), id()).prop_filter("two users", |(me, peer)| me != peer),
        asked in asked(), page in page(),
    ) {
        let target = Target::User(UserId(peer));
        check_write(&method, target, Some(("ouid", peer)), &asked);
        check_read(&method, target, me, &asked, page);
    }

    "getgroupmsg" => history_of_a_group |method| (
        me in id(), group in id(), asked in asked(), page in page(),
    ) {
        let target = Target::Group(GroupId(group));
        check_write(&method, target, Some(("gid", group)), &asked);
        check_read(&method, target, me, &asked, page);
    }

    "getroommsg" => history_of_a_room |method| (
        me in id(), room in id(), asked in asked(), page in page(),
    ) {
        let target = Target::Room(RoomId(room));
        check_write(&method, target, Some(("rid", room)), &asked);
        check_read(&method, target, me, &asked, page);
    }

    "getbroadcastmsg" => history_of_broadcasts |method| (
        me in id(), asked in asked(), page in page(),
    ) {
        check_write(&method, Target::Broadcast, None, &asked);
        check_read(&method, Target::Broadcast, me, &asked, page);
    }
}
