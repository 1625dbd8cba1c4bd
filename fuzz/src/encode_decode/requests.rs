//! Typed requests: what is written is what `rmpv` reads, and what `rmpv` writes
//! of an answer is what is read.

use bytes::BytesMut;
use rmpv::Value;
use rtm_proto::api::{
    AddGroupMembers, GetAttributes, GetData, GetGroupMembers, GetHistory, MAX_DATA_KEY,
    MAX_HISTORY_COUNT, Recipient, SendMessage, SessionAttributes, SetAttributes, SetData, Target,
};
use rtm_proto::payload::{Encoding, Payload, PayloadWriter};
use rtm_proto::{Body, Context, GroupId, MessageId, MessageType, Request, RoomId, UserId};

use crate::source::Source;
use crate::{tree, wire};

type Fields = Vec<(&'static str, Value)>;

pub(super) fn check(source: &mut Source<'_>) {
    let kind = source.below(8);
    let mut context = Context::default();
    context.user_id = UserId(5);
    context.message_id = MessageId(source.int());
    context.check_arguments = source.flag();
    match kind {
        0..=2 => message(source, &context),
        3 => history(source, &context),
        4 => group_members(source, &context),
        5 => attributes(source, &context),
        _ => data(source, &context),
    }
}

/// Checks what is written of a request, or that it is refused.
fn check_written<R: Request>(request: &R, context: &Context, expected: Option<Fields>) {
    let mut out = BytesMut::new();
    let mut writer = PayloadWriter::new(&mut out);
    let encoded = request.encode(context, &mut writer);
    let refused = context.check_arguments && expected.is_none();
    assert_eq!(encoded.is_err(), refused, "{}", request.method());
    if let (Ok(()), Some(fields)) = (encoded, expected) {
        writer.finish().expect("short texts");
        let written = rmpv::decode::read_value(&mut &out[..]).expect("MessagePack");
        let mut expected = pairs(fields);
        // The order of fields means nothing.
        let mut written = written.as_map().expect("a map").clone();
        for fields in [&mut expected, &mut written] {
            fields.sort_by_key(|(key, _)| key.as_str().map(str::to_owned));
        }
        let (expected, written) = (Value::Map(expected), Value::Map(written));
        assert!(
            tree::same(&tree::normal(&written), &tree::normal(&expected)),
            "{expected:?} is {written:?}"
        );
    }
}

fn pairs(fields: Fields) -> Vec<(Value, Value)> {
    let fields = fields.into_iter();
    fields.map(|(key, value)| (key.into(), value)).collect()
}

/// What a request reads of an answer.
fn read<R: Request>(request: &R, context: &Context, fields: &[(&str, Value)]) -> R::Response {
    let body = wire::map(fields).into();
    let answer = Payload::new(Encoding::MsgPack, body).expect("a map");
    request.decode(context, answer).expect("a good answer")
}

fn list(values: &[i64]) -> Value {
    values.iter().map(|value| Value::from(*value)).collect()
}

fn ints(source: &mut Source<'_>) -> Vec<i64> {
    (0..source.below(20)).map(|_| source.int()).collect()
}

fn message(source: &mut Source<'_>, context: &Context) {
    let id = source.int();
    let (to, name): (Recipient, _) = match source.below(3) {
        0 => (UserId(id).into(), "to"),
        1 => (GroupId(id).into(), "gid"),
        _ => (RoomId(id).into(), "rid"),
    };
    let mtype = source.byte();
    let body: Body = match source.flag() {
        true => source.text().into(),
        false => source.some().into(),
    };
    let attrs = source.text();
    let request = SendMessage::new(to, MessageType(mtype), body.clone()).attrs(attrs.as_str());
    let is_right = !context.check_arguments || (1..=127).contains(&mtype);
    let body = match &body {
        Body::Text(text) => Value::from(text.as_str()),
        Body::Binary(bytes) => Value::Binary(bytes.to_vec()),
    };
    let fields = || {
        vec![
            (name, id.into()),
            ("mid", context.message_id.0.into()),
            ("mtype", mtype.into()),
            ("msg", body),
            ("attrs", attrs.as_str().into()),
        ]
    };
    check_written(&request, context, is_right.then(fields));
}

fn history(source: &mut Source<'_>, context: &Context) {
    let id = source.int();
    let (target, name): (Target, _) = match source.below(4) {
        0 => (UserId(id).into(), Some("ouid")),
        1 => (GroupId(id).into(), Some("gid")),
        2 => (RoomId(id).into(), Some("rid")),
        _ => (Target::Broadcast, None),
    };
    let count = u32::from(source.byte());
    let mut request = GetHistory::new(target, count);
    let mut fields: Fields = name.map(|name| (name, id.into())).into_iter().collect();
    let oldest_first = source.flag();
    if oldest_first {
        request = request.oldest_first();
    }
    fields.extend([("desc", (!oldest_first).into()), ("num", count.into())]);
    let options = source.byte();
    if options & 1 != 0 {
        let time = source.int();
        request = request.since_ms(time);
        fields.push(("begin", time.into()));
    }
    if options & 2 != 0 {
        let time = source.int();
        request = request.until_ms(time);
        fields.push(("end", time.into()));
    }
    if options & 4 != 0 {
        let cursor = source.int();
        request = request.cursor(cursor);
        fields.push(("lastid", cursor.into()));
    }
    if options & 8 != 0 {
        let types = source.some();
        request = request.message_types(types.iter().map(|mtype| MessageType(*mtype)));
        let types = types.iter().map(|mtype| Value::from(*mtype));
        fields.push(("mtypes", types.collect()));
    }
    let is_right = !context.check_arguments || (1..=MAX_HISTORY_COUNT).contains(&count);
    check_written(&request, context, is_right.then_some(fields));
    history_page(source, context, &request, target);
}

/// A page of one record, which is an array on the wire.
fn history_page(source: &mut Source<'_>, context: &Context, request: &GetHistory, target: Target) {
    let (cursor, from, mid, time) = (source.int(), source.int(), source.int(), source.int());
    let (mtype, deleted, attrs) = (source.byte(), source.flag(), source.text());
    let content = source.some().to_vec();
    let record: Value = [
        cursor.into(),
        from.into(),
        mtype.into(),
        mid.into(),
        deleted.into(),
        Value::Binary(content.clone()),
        attrs.as_str().into(),
        time.into(),
    ]
    .into_iter()
    .collect();
    let fields = [
        ("num", 1.into()),
        ("lastid", cursor.into()),
        ("begin", time.into()),
        ("end", 0.into()),
        ("msgs", Value::Array(vec![record])),
    ];
    let page = read(request, context, &fields);
    assert_eq!((page.count, page.cursor), (1, cursor));
    assert_eq!((page.since_ms, page.until_ms), (time, 0));
    let [record] = &page.records[..] else {
        panic!("{:?}", page.records);
    };
    let sender = match target {
        // Between two users it is the direction.
        Target::User(_) if from == 1 => context.user_id,
        Target::User(peer) => peer,
        _ => UserId(from),
    };
    assert_eq!((record.cursor, record.sender), (cursor, sender));
    assert_eq!((record.message_id.0, record.message_type.0), (mid, mtype));
    assert_eq!((record.deleted, record.time_ms), (deleted, time));
    assert_eq!(record.attrs, attrs);
    assert_eq!(record.body.as_bytes(), content);
}

fn group_members(source: &mut Source<'_>, context: &Context) {
    let (group, users) = (source.int(), ints(source));
    let request = AddGroupMembers::new(group, users.iter().copied());
    let fields = vec![("gid", group.into()), ("uids", list(&users))];
    check_written(&request, context, Some(fields));
    let request = GetGroupMembers::new(group);
    check_written(&request, context, Some(vec![("gid", group.into())]));
    let members = read(&request, context, &[("uids", list(&users))]);
    assert!(members.iter().map(|user| user.0).eq(users));
}

fn attributes(source: &mut Source<'_>, context: &Context) {
    let count = source.below(8);
    let attributes = (0..count).map(|_| (source.text(), source.text()));
    let attributes = SessionAttributes(attributes.collect());
    let map = attributes.0.iter();
    let map = map.map(|(key, value)| (key.as_str().into(), value.as_str().into()));
    let map = Value::Map(map.collect());
    let request = SetAttributes::new(attributes.0.clone());
    check_written(&request, context, Some(vec![("attrs", map.clone())]));
    let request = GetAttributes::new();
    check_written(&request, context, Some(Vec::new()));
    // Gates answer with one map, or with a list of them.
    let one = read(&request, context, &[("attrs", map.clone())]);
    assert_eq!(one, std::slice::from_ref(&attributes));
    let both = Value::Array(vec![map.clone(), map]);
    let both = read(&request, context, &[("attrs", both)]);
    assert_eq!(both, [attributes.clone(), attributes]);
}

fn data(source: &mut Source<'_>, context: &Context) {
    let (key, value) = (source.text(), source.text());
    let is_right = !context.check_arguments || (1..=MAX_DATA_KEY).contains(&key.len());
    let key_field = ("key", Value::from(key.as_str()));
    let value_field = ("val", Value::from(value.as_str()));
    let fields = || vec![key_field.clone(), value_field.clone()];
    let request = SetData::new(key.as_str(), value.as_str());
    check_written(&request, context, is_right.then(fields));
    let request = GetData::new(key.as_str());
    check_written(&request, context, is_right.then(|| vec![key_field.clone()]));
    let found = read(&request, context, &[value_field]);
    assert_eq!(found, Some(value));
    assert_eq!(read(&request, context, &[]), None);
}
