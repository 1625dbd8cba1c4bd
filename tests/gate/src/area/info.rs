//! The open and private texts of users, groups and rooms.

use super::{Cx, DONE, Table};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::wire::Value;
use crate::world::Info;

pub(super) const METHODS: Table = &[
    ("setuserinfo", setuserinfo),
    ("getuserinfo", getuserinfo),
    ("getuseropeninfo", getuseropeninfo),
    ("setgroupinfo", setgroupinfo),
    ("getgroupinfo", getgroupinfo),
    ("getgroupopeninfo", getgroupopeninfo),
    ("setroominfo", setroominfo),
    ("getroominfo", getroominfo),
    ("getroomopeninfo", getroomopeninfo),
];

/// Bytes of each text.
const MAX_INFO: usize = 65_535;
/// Users per call.
const MAX_PER_CALL: usize = 100;

/// A change: what is absent stays as it is.
struct Change<'a> {
    open: Option<&'a str>,
    private: Option<&'a str>,
}

impl<'a> Change<'a> {
    fn read(params: &Params<'a>) -> Result<Self, Refusal> {
        let change = Self {
            open: params.opt_text("oinfo")?,
            private: params.opt_text("pinfo")?,
        };
        let texts = [change.open, change.private].into_iter().flatten();
        if texts.into_iter().any(|text| text.len() > MAX_INFO) {
            return Err(Refusal::code(200035));
        }
        Ok(change)
    }

    fn apply(&self, info: &mut Info) {
        if let Some(text) = self.open {
            info.open = text.to_owned();
        }
        if let Some(text) = self.private {
            info.private = text.to_owned();
        }
    }
}

fn both(info: &Info) -> Value {
    Value::map([
        ("oinfo", info.open.as_str().into()),
        ("pinfo", info.private.as_str().into()),
    ])
}

/// The open text; that of nobody is empty.
fn open(info: Option<&Info>) -> Value {
    Value::map([("oinfo", info.map_or("", |info| &info.open).into())])
}

fn setuserinfo(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    Change::read(params)?.apply(&mut cx.user().info);
    DONE
}

fn getuserinfo(cx: &mut Cx<'_>, _: &Params<'_>) -> Result<Value, Refusal> {
    Ok(both(&cx.user().info))
}

/// Ids become decimal text, the form every SDK reads; users that do not exist are left out.
fn getuseropeninfo(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let ids = params.ids("uids", MAX_PER_CALL)?;
    let infos = ids.iter().filter_map(|id| {
        let user = cx.world.users.get(id)?;
        Some((id.to_string().into(), user.info.open.as_str().into()))
    });
    Ok(Value::map([("info", Value::Map(infos.collect()))]))
}

fn setgroupinfo(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let gid = params.int("gid")?;
    let change = Change::read(params)?;
    change.apply(&mut super::group::of_member(cx, gid)?.info);
    DONE
}

fn getgroupinfo(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let group = super::group::of_member(cx, params.int("gid")?)?;
    Ok(both(&group.info))
}

fn getgroupopeninfo(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let group = cx.world.groups.get(&params.int("gid")?);
    Ok(open(group.map(|group| &group.info)))
}

fn setroominfo(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let rid = params.int("rid")?;
    let change = Change::read(params)?;
    super::room::require_inside(cx, rid)?;
    change.apply(&mut cx.world.rooms.entry(rid).or_default().info);
    DONE
}

fn getroominfo(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let rid = params.int("rid")?;
    super::room::require_inside(cx, rid)?;
    Ok(both(&cx.world.rooms.entry(rid).or_default().info))
}

fn getroomopeninfo(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let room = cx.world.rooms.get(&params.int("rid")?);
    Ok(open(room.map(|room| &room.info)))
}
