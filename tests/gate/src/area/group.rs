//! Groups: lasting, with members.

use super::{Cx, DONE, Table};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::wire::Value;
use crate::world::Group;

pub(super) const METHODS: Table = &[
    ("addgroupmembers", addgroupmembers),
    ("delgroupmembers", delgroupmembers),
    ("getgroupmembers", getgroupmembers),
    ("getusergroups", getusergroups),
];

/// Users per call.
const MAX_PER_CALL: usize = 100;
/// Members of a group; `rtm-doc`, limits of 2018.
const MAX_MEMBERS: usize = 10_000;

/// The group, if the asking user is a member of it.
pub(super) fn of_member<'a>(cx: &'a mut Cx<'_>, gid: i64) -> Result<&'a mut Group, Refusal> {
    let uid = cx.uid;
    cx.world
        .groups
        .get_mut(&gid)
        .filter(|group| group.members.contains(&uid))
        .ok_or_else(|| Refusal::code(200041))
}

/// A group without members is made by whoever adds the first ones, and has its maker as a member too.
fn addgroupmembers(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let gid = params.int("gid")?;
    let added = params.ids("uids", MAX_PER_CALL)?;
    let uid = cx.uid;
    let group = cx.world.groups.entry(gid).or_default();
    if group.members.is_empty() {
        group.members.insert(uid);
    }
    let group = of_member(cx, gid)?;
    let new = added
        .iter()
        .filter(|id| !group.members.contains(id))
        .count();
    if group.members.len() + new > MAX_MEMBERS {
        return Err(Refusal::code(200042));
    }
    group.members.extend(added);
    DONE
}

fn delgroupmembers(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let gid = params.int("gid")?;
    let removed = params.ids("uids", MAX_PER_CALL)?;
    let group = of_member(cx, gid)?;
    group.members.retain(|member| !removed.contains(member));
    DONE
}

fn getgroupmembers(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let group = of_member(cx, params.int("gid")?)?;
    Ok(Value::map([(
        "uids",
        Value::ints(group.members.iter().copied()),
    )]))
}

fn getusergroups(cx: &mut Cx<'_>, _: &Params<'_>) -> Result<Value, Refusal> {
    let gids = cx
        .world
        .groups
        .iter()
        .filter(|(_, group)| group.members.contains(&cx.uid))
        .map(|(gid, _)| *gid);
    Ok(Value::map([("gids", Value::ints(gids))]))
}
