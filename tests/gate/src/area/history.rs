//! Messages of the past, in pages and one by one.

use super::{Cx, DONE, Message, Table};
use crate::history::{Conversation, Query, Record};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::wire::Value;

pub(super) const METHODS: Table = &[
    ("getgroupmsg", getgroupmsg),
    ("getroommsg", getroommsg),
    ("getbroadcastmsg", getbroadcastmsg),
    ("getp2pmsg", getp2pmsg),
    ("getmsg", getmsg),
    ("delmsg", delmsg),
];

/// Records per call.
const MAX_PER_CALL: i64 = 20;

fn getgroupmsg(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let gid = params.int("gid")?;
    let query = query(params)?;
    super::group::of_member(cx, gid)?;
    Ok(page(cx, Conversation::Group(gid), &query))
}

fn getroommsg(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let rid = params.int("rid")?;
    let query = query(params)?;
    super::room::require_inside(cx, rid)?;
    Ok(page(cx, Conversation::Room(rid), &query))
}

fn getbroadcastmsg(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    Ok(page(cx, Conversation::Everybody, &query(params)?))
}

fn getp2pmsg(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let peer = params.int("ouid")?;
    let query = query(params)?;
    Ok(page(cx, Conversation::between(cx.uid, peer), &query))
}

fn query(params: &Params<'_>) -> Result<Query, Refusal> {
    let newest_first = params.bool("desc")?;
    let count = params.int("num")?;
    let query = Query {
        newest_first,
        count: usize::try_from(count).unwrap_or(0),
        begin: params.opt_int("begin")?.unwrap_or(0),
        end: params.opt_int("end")?.unwrap_or(0),
        last_id: params.opt_int("lastid")?.unwrap_or(0),
        mtypes: params.opt_ints("mtypes")?.unwrap_or_default(),
    };
    if count > MAX_PER_CALL {
        return Err(Refusal::code(200032));
    }
    Ok(query)
}

/// The answer: the records, and the parameters with which the next call goes on behind them.
fn page(cx: &Cx<'_>, conversation: Conversation, query: &Query) -> Value {
    let records = cx.world.history.find(conversation, query);
    let (mut begin, mut end, mut last_id) = (query.begin, query.end, query.last_id);
    if let Some(last) = records.last() {
        last_id = last.id;
        if query.newest_first {
            end = last.message.mtime;
        } else {
            begin = last.message.mtime;
        }
    }
    let p2p = matches!(conversation, Conversation::Users(..));
    let tuples = records.iter().map(|record| tuple(record, cx.uid, p2p));
    Value::map([
        ("num", Value::from(records.len() as u64)),
        ("lastid", last_id.into()),
        ("begin", begin.into()),
        ("end", end.into()),
        ("msgs", Value::Array(tuples.collect())),
    ])
}

/// A record as history has it. Between users the second place is the direction: 1 sent by the asking one, 2 received.
fn tuple(record: &Record, asking: i64, p2p: bool) -> Value {
    let Message {
        from,
        mid,
        mtype,
        body,
        attrs,
        mtime,
        ..
    } = &record.message;
    let second = match p2p {
        false => *from,
        true if *from == asking => 1,
        true => 2,
    };
    let (body, attrs) = if record.deleted {
        ("".into(), "")
    } else {
        (body.clone(), attrs.as_str())
    };
    Value::Array(vec![
        record.id.into(),
        second.into(),
        (*mtype).into(),
        (*mid).into(),
        record.deleted.into(),
        body,
        attrs.into(),
        (*mtime).into(),
    ])
}

/// The message that `mid`, `xid`, `type` and perhaps `from` name, if the asking user may see it.
fn named<'a>(cx: &'a mut Cx<'_>, params: &Params<'_>) -> Result<&'a mut Record, Refusal> {
    let (mid, target) = (params.int("mid")?, params.int("xid")?);
    let kind = params.int("type")?;
    let from = params.opt_int("from")?;
    let conversation = match kind {
        1 => Conversation::between(cx.uid, target),
        2 => {
            super::group::of_member(cx, target)?;
            Conversation::Group(target)
        }
        3 => {
            super::room::require_inside(cx, target)?;
            Conversation::Room(target)
        }
        4 => Conversation::Everybody,
        _ => return Err(Refusal::code(200034)),
    };
    cx.world
        .history
        .message(conversation, mid, from)
        .ok_or_else(|| Refusal::code(200070))
}

fn getmsg(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let record = named(cx, params)?;
    let message = &record.message;
    Ok(Value::map([
        ("id", record.id.into()),
        ("mtype", message.mtype.into()),
        ("msg", message.body.clone()),
        ("attrs", message.attrs.as_str().into()),
        ("mtime", message.mtime.into()),
    ]))
}

/// A deleted message stays in the pages, marked and without content.
fn delmsg(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    named(cx, params)?.deleted = true;
    DONE
}
