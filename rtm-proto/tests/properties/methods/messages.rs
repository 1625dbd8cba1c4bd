//! Sending, single messages of the past, unread messages.

use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::option::of;
use proptest::prelude::*;
use rmpv::Value;
use rtm_proto::api::*;
use rtm_proto::{Context, GroupId, MessageId, MessageType, RoomId, Translation, UserId};

use super::check::Method;
use super::methods;
use super::values::{Texts, body, given, id, ids, lenient, list, said, text};

/// What a message consists of, whoever gets it.
fn message() -> impl Strategy<Value = (u8, (rtm_proto::Body, Value), String, i64, Option<i64>)> {
    (any::<u8>(), body(), text(), id(), of(id()))
}

fn check_send(
    method: &Method,
    to: impl Into<Recipient>,
    recipient: (&str, Value),
    message: (u8, (rtm_proto::Body, Value), String, i64, Option<i64>),
) {
    let (mtype, (body, wire), attrs, mid, mtime) = message;
    let request = SendMessage::new(to, MessageType(mtype), body).attrs(attrs.as_str());
    let mut context = Context::default();
    context.message_id = MessageId(mid);
    let fields = [
        recipient,
        ("mid", mid.into()),
        ("mtype", mtype.into()),
        ("msg", wire),
        ("attrs", attrs.into()),
    ];
    method.writes_in(&context, &request, &fields);
    let answer = given([("mtime", mtime.map(Value::from))]);
    let view = |receipt: Receipt| (receipt.message_id.0, receipt.time_ms);
    method.reads_in(&context, &request, &answer, view, &(mid, mtime));
}

/// A conversation: its kind and its id on the wire.
fn target() -> impl Strategy<Value = (Target, u8, i64)> {
    prop_oneof![
        id().prop_map(|id| (Target::User(UserId(id)), 1, id)),
        id().prop_map(|id| (Target::Group(GroupId(id)), 2, id)),
        id().prop_map(|id| (Target::Room(RoomId(id)), 3, id)),
        Just((Target::Broadcast, 4, 0)),
    ]
}

pub(super) fn texts_of(translation: Translation) -> Texts {
    (
        translation.source_language,
        translation.target_language,
        translation.source_text,
        translation.target_text,
    )
}

/// Ids with a number each, as maps have them.
fn counted() -> impl Strategy<Value = BTreeMap<i64, Option<i64>>> {
    btree_map(id(), of(id()), 0..10)
}

fn counted_wire(ids: &BTreeMap<i64, Option<i64>>, keys_are_text: bool) -> Value {
    let key = |id: i64| match keys_are_text {
        true => id.to_string().into(),
        false => id.into(),
    };
    let entries = ids.iter();
    let entries = entries.map(|(id, number)| (key(*id), number.map_or(Value::Nil, Value::from)));
    Value::Map(entries.collect())
}

fn unread(got: Unread) -> (Vec<i64>, Vec<i64>) {
    let peers = got.peers.into_iter().map(UserId::get);
    let groups = got.groups.into_iter().map(GroupId::get);
    (peers.collect(), groups.collect())
}

type Known = Vec<(i64, Option<i64>)>;

fn conversations(got: Conversations) -> (Known, Known) {
    let peers = got
        .peers
        .iter()
        .map(|known| (known.id.0, known.last_time_ms));
    let groups = got
        .groups
        .iter()
        .map(|known| (known.id.0, known.last_time_ms));
    (peers.collect(), groups.collect())
}

methods! {
    "sendmsg" => messages_to_users |method| (to in id(), message in message()) {
        check_send(&method, UserId(to), ("to", to.into()), message);
    }

    "sendgroupmsg" => messages_to_groups |method| (to in id(), message in message()) {
        check_send(&method, GroupId(to), ("gid", to.into()), message);
    }

    "sendroommsg" => messages_to_rooms |method| (to in id(), message in message()) {
        check_send(&method, RoomId(to), ("rid", to.into()), message);
    }

    "getmsg" => a_message_is_read |method| (
        (target, kind, xid) in target(), mid in id(), from in of(id()),
        cursor in id(), mtype in any::<u8>(), said in said(), (attrs, attrs_read) in lenient(),
        time in id(),
    ) {
        let mut request = GetMessage::new(target, mid);
        if let Some(sender) = from {
            request = request.sender(sender);
        }
        method.writes(&request, &given([
            ("mid", Some(mid.into())),
            ("xid", Some(xid.into())),
            ("type", Some(kind.into())),
            ("from", from.map(Value::from)),
        ]));
        let answer = [
            ("id", cursor.into()),
            ("mtype", mtype.into()),
            ("msg", said.wire),
            ("attrs", attrs),
            ("mtime", time.into()),
        ];
        let required = answer.each_ref().map(|(name, _)| *name);
        let view = |got: StoredMessage| {
            let translation = got.translation.map(|translation| texts_of(*translation));
            (got.cursor, got.message_type.0, got.body, got.attrs, got.time_ms, translation)
        };
        let expected = (cursor, mtype, said.body, attrs_read, time, said.translation);
        method.reads(&request, &required, &answer, view, &expected);
    }

    "delmsg" => a_message_is_deleted |method| (
        (target, kind, xid) in target(), mid in id(), from in of(id()),
    ) {
        let mut request = DeleteMessage::new(target, mid);
        if let Some(sender) = from {
            request = request.sender(sender);
        }
        method.writes(&request, &given([
            ("mid", Some(mid.into())),
            ("xid", Some(xid.into())),
            ("type", Some(kind.into())),
            ("from", from.map(Value::from)),
        ]));
        method.gives_nothing(&request);
    }

    "getunread" => unread_conversations_are_listed |method| (
        clear in any::<Option<bool>>(), peers in ids(), groups in ids(),
        counted_peers in counted(), counted_groups in counted(), keys_are_text in any::<bool>(),
    ) {
        let request = clear.map_or(GetUnread::new(), |on| GetUnread::new().clear(on));
        method.writes(&request, &given([("clear", clear.map(Value::from))]));
        let answer = [("p2p", list(&peers)), ("group", list(&groups))];
        method.reads(&request, &["p2p", "group"], &answer, unread, &(peers, groups));
        let answer = [
            ("p2p", counted_wire(&counted_peers, keys_are_text)),
            ("group", counted_wire(&counted_groups, keys_are_text)),
        ];
        let ids = |counted: BTreeMap<i64, _>| counted.into_keys().collect();
        let expected = (ids(counted_peers), ids(counted_groups));
        method.reads(&request, &["p2p", "group"], &answer, unread, &expected);
    }

    "cleanunread" => everything_is_counted_as_read |method| (_ in Just(())) {
        method.writes(&ClearUnread::new(), &[]);
        method.gives_nothing(&ClearUnread::new());
    }

    "getsession" => conversations_are_listed |method| (
        peers in ids(), groups in ids(), timed_peers in counted(), timed_groups in counted(),
        keys_are_text in any::<bool>(),
    ) {
        let request = GetSessions::new();
        method.writes(&request, &[]);
        let answer = [("p2p", list(&peers)), ("group", list(&groups))];
        let untimed = |ids: Vec<i64>| -> Known { ids.into_iter().map(|id| (id, None)).collect() };
        let expected = (untimed(peers), untimed(groups));
        method.reads(&request, &["p2p", "group"], &answer, conversations, &expected);
        let answer = [
            ("p2p", counted_wire(&timed_peers, keys_are_text)),
            ("group", counted_wire(&timed_groups, keys_are_text)),
        ];
        let expected = (timed_peers.into_iter().collect(), timed_groups.into_iter().collect());
        method.reads(&request, &["p2p", "group"], &answer, conversations, &expected);
    }
}
