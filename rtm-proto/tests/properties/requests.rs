//! What each request writes, `rmpv` reads to its fields; what `rmpv` writes,
//! each response reads.

use bytes::{Bytes, BytesMut};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use rmpv::Value;
use rtm_proto::api::*;
use rtm_proto::payload::{Encoding, Payload, PayloadWriter};
use rtm_proto::{Body, Context, GroupId, MessageId, MessageType, Request, RoomId, UserId};

use crate::peer::map;

/// The method and the fields of a request, the latter as the oracle reads them.
fn written<R: Request>(request: &R, context: &Context) -> (String, Value) {
    let mut out = BytesMut::new();
    let mut writer = PayloadWriter::new(&mut out);
    request.encode(context, &mut writer).unwrap();
    writer.finish().unwrap();
    let mut rest = &out[..];
    let fields = rmpv::decode::read_value(&mut rest).unwrap();
    assert!(rest.is_empty());
    (request.method().into(), fields)
}

fn check<R: Request>(request: &R, method: &str, fields: &[(&str, Value)]) {
    let fields = fields.iter();
    let fields = fields.map(|(key, value)| (Value::from(*key), value.clone()));
    let expected = (method.to_owned(), Value::Map(fields.collect()));
    assert_eq!(written(request, &Context::default()), expected);
}

/// What `request` makes of an answer with these fields, and of one with a
/// field more that it does not know.
fn read<R: Request>(request: &R, fields: &[(&str, Value)]) -> R::Response {
    let context = Context::default();
    let payload = |fields: &[(&str, Value)]| {
        Payload::new(Encoding::MsgPack, Bytes::from(map(fields))).unwrap()
    };
    let mut more = vec![("from the future", Value::Array(vec![Value::Nil]))];
    more.extend(fields.iter().cloned());
    request.decode(&context, payload(&more)).unwrap();
    request.decode(&context, payload(fields)).unwrap()
}

fn list<T: Into<Value> + Copy>(items: &[T]) -> Value {
    Value::Array(items.iter().map(|item| (*item).into()).collect())
}

fn texts(pairs: &std::collections::BTreeMap<String, String>) -> Value {
    let pairs = pairs.iter();
    Value::Map(
        pairs
            .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
            .collect(),
    )
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        ".{0,60}".prop_map(|text| Body::from(text.as_str())),
        vec(any::<u8>(), 0..300).prop_map(Body::from),
    ]
}

proptest! {
    #[test]
    fn groups(group in any::<i64>(), users in vec(any::<i64>(), 0..40)) {
        let fields = [("gid", group.into()), ("uids", list(&users))];
        check(&AddGroupMembers::new(group, users.clone()), "addgroupmembers", &fields);
        check(&RemoveGroupMembers::new(group, users.clone()), "delgroupmembers", &fields);
        check(&GetGroupMembers::new(group), "getgroupmembers", &[("gid", group.into())]);
        check(&GetUserGroups::new(), "getusergroups", &[]);
        let members = read(&GetGroupMembers::new(group), &[("uids", list(&users))]);
        prop_assert_eq!(members, users.iter().map(|id| UserId(*id)).collect::<Vec<_>>());
        let groups = read(&GetUserGroups::new(), &[("gids", list(&users))]);
        prop_assert_eq!(groups, users.iter().map(|id| GroupId(*id)).collect::<Vec<_>>());
    }

    #[test]
    fn rooms(room in any::<i64>(), rooms in vec(any::<i64>(), 0..40)) {
        check(&EnterRoom::new(room), "enterroom", &[("rid", room.into())]);
        check(&LeaveRoom::new(room), "leaveroom", &[("rid", room.into())]);
        check(&GetUserRooms::new(), "getuserrooms", &[]);
        let entered = read(&GetUserRooms::new(), &[("rooms", list(&rooms))]);
        prop_assert_eq!(entered, rooms.iter().map(|id| RoomId(*id)).collect::<Vec<_>>());
    }

    #[test]
    fn sessions(
        attributes in btree_map(".{0,20}", ".{0,20}", 0..8), one in ".{0,40}", other in ".{0,40}",
    ) {
        check(&SetAttributes::new(attributes.clone()), "addattrs", &[("attrs", texts(&attributes))]);
        check(&GetAttributes::new(), "getattrs", &[]);
        check(&KickSession::new(one.as_str()), "kickout", &[("ce", one.as_str().into())]);
        let device = [("apptype", one.as_str().into()), ("devicetoken", other.as_str().into())];
        check(&AddDevice::new(one.as_str(), other.as_str()), "adddevice", &device);
        check(&RemoveDevice::new(other.as_str()), "removedevice", &device[1..]);
        let log = [("msg", one.as_str().into()), ("attrs", other.as_str().into())];
        check(&AddDebugLog::new(one.as_str(), other.as_str()), "adddebuglog", &log);
        check(&SetTranslationLanguage::new(one.as_str()), "setlang", &[("lang", one.as_str().into())]);
        let sessions = Value::Array(vec![texts(&attributes); 2]);
        let sessions = read(&GetAttributes::new(), &[("attrs", sessions)]);
        prop_assert_eq!(sessions, vec![SessionAttributes(attributes); 2]);
    }

    #[test]
    fn messages(
        to in any::<i64>(), kind in 0..3, mtype in 1..=127_u8, body in body(), attrs in ".{0,40}",
        mid in any::<i64>(), mtime in any::<Option<i64>>(),
    ) {
        let (recipient, name, method): (Recipient, _, _) = match kind {
            0 => (UserId(to).into(), "to", "sendmsg"),
            1 => (GroupId(to).into(), "gid", "sendgroupmsg"),
            _ => (RoomId(to).into(), "rid", "sendroommsg"),
        };
        let request = SendMessage::new(recipient, MessageType(mtype), body.clone())
            .attrs(attrs.as_str());
        let mut context = Context::default();
        context.message_id = MessageId(mid);
        context.check_arguments = true;
        let (got, fields) = written(&request, &context);
        prop_assert_eq!(got, method);
        let fields = fields.as_map().unwrap();
        let names: Vec<_> = fields.iter().map(|(key, _)| key.as_str().unwrap()).collect();
        prop_assert_eq!(names, [name, "mid", "mtype", "msg", "attrs"]);
        prop_assert_eq!(fields[0].1.as_i64(), Some(to));
        prop_assert_eq!(fields[1].1.as_i64(), Some(mid));
        prop_assert_eq!(fields[2].1.as_u64(), Some(mtype.into()));
        prop_assert_eq!(fields[3].1.is_str(), body.as_text().is_some());
        prop_assert_eq!(fields[3].1.as_slice(), Some(body.as_bytes()));
        prop_assert_eq!(fields[4].1.as_str(), Some(attrs.as_str()));
        let answer: Vec<_> = mtime.iter().map(|time| ("mtime", Value::from(*time))).collect();
        prop_assert_eq!(read(&request, &answer).time_ms, mtime);
    }
}
