//! What came while the user was away, and with whom it has talked.

use super::{Cx, DONE, Table};
use crate::history::Conversation;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::wire::Value;
use crate::world::Unread;

pub(super) const METHODS: Table = &[
    ("getunread", getunread),
    ("cleanunread", cleanunread),
    ("getsession", getsession),
];

fn getunread(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let clear = params.opt_bool("clear")?.unwrap_or(false);
    let unread = &mut cx.user().unread;
    let answer = lists(unread.peers.iter().copied(), unread.groups.iter().copied());
    if clear {
        *unread = Unread::default();
    }
    Ok(answer)
}

fn cleanunread(cx: &mut Cx<'_>, _: &Params<'_>) -> Result<Value, Refusal> {
    cx.user().unread = Unread::default();
    DONE
}

fn getsession(cx: &mut Cx<'_>, _: &Params<'_>) -> Result<Value, Refusal> {
    let (world, uid) = (&cx.world, cx.uid);
    let conversations = || world.history.conversations();
    let peers = conversations().filter_map(|conversation| match *conversation {
        Conversation::Users(one, other) if one == uid => Some(other),
        Conversation::Users(one, other) if other == uid => Some(one),
        _ => None,
    });
    let groups = conversations().filter_map(|conversation| match *conversation {
        Conversation::Group(gid) => {
            let group = world.groups.get(&gid)?;
            group.members.contains(&uid).then_some(gid)
        }
        _ => None,
    });
    Ok(lists(peers, groups))
}

fn lists(peers: impl Iterator<Item = i64>, groups: impl Iterator<Item = i64>) -> Value {
    Value::map([("p2p", Value::ints(peers)), ("group", Value::ints(groups))])
}
