//! Friends: a list per user; being on somebody's list puts nobody on one's own.

use super::{Cx, DONE, Table};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::wire::Value;

pub(super) const METHODS: Table = &[
    ("addfriends", addfriends),
    ("delfriends", delfriends),
    ("getfriends", getfriends),
];

/// Users per call.
const MAX_PER_CALL: usize = 100;
/// Friends of a user; `rtm-doc`, limits of 2018.
const MAX_FRIENDS: usize = 300;

fn addfriends(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let added = params.ids("friends", MAX_PER_CALL)?;
    let friends = &mut cx.user().friends;
    let new = added.iter().filter(|id| !friends.contains(id)).count();
    if friends.len() + new > MAX_FRIENDS {
        return Err(Refusal::code(200048));
    }
    friends.extend(added);
    DONE
}

fn delfriends(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let removed = params.ids("friends", MAX_PER_CALL)?;
    cx.user().friends.retain(|friend| !removed.contains(friend));
    DONE
}

fn getfriends(cx: &mut Cx<'_>, _: &Params<'_>) -> Result<Value, Refusal> {
    let friends = cx.user().friends.iter().copied();
    Ok(Value::map([("uids", Value::ints(friends))]))
}
