//! Sending.

use super::{Cx, Table};
use crate::clock::now_ms;
use crate::conn::Conn;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::wire::Value;
use crate::world::World;
use std::sync::Arc;

pub(super) const METHODS: Table = &[
    ("sendmsg", sendmsg),
    ("sendgroupmsg", sendgroupmsg),
    ("sendroommsg", sendroommsg),
];

/// Bytes of a message; `rtm-doc`, limits of 2018.
const MAX_MESSAGE: usize = 20_480;
/// Bytes of its attributes; same source.
const MAX_ATTRS: usize = 2_048;

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    User(i64),
    Group(i64),
    Room(i64),
    Everybody,
}

/// A message as it is pushed.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) target: Target,
    pub(crate) from: i64,
    pub(crate) mid: i64,
    pub(crate) mtype: i64,
    pub(crate) body: Value,
    pub(crate) attrs: String,
    pub(crate) mtime: i64,
}

impl Message {
    /// Reads the parameters that all sends share, and judges them.
    fn read(target: Target, from: i64, params: &Params<'_>) -> Result<Self, Refusal> {
        let message = Self {
            target,
            from,
            mid: params.int("mid")?,
            mtype: params.int("mtype")?,
            body: params.body("msg")?.clone(),
            attrs: params.text("attrs")?.to_owned(),
            mtime: now_ms(),
        };
        if !(1..=127).contains(&message.mtype) {
            return Err(Refusal::code(200005));
        }
        let len = message.body.as_bytes().map_or(0, <[u8]>::len);
        if len > MAX_MESSAGE || message.attrs.len() > MAX_ATTRS {
            return Err(Refusal::code(200030));
        }
        Ok(message)
    }

    fn push_name(&self) -> &'static str {
        match self.target {
            Target::User(_) => "pushmsg",
            Target::Group(_) => "pushgroupmsg",
            Target::Room(_) => "pushroommsg",
            Target::Everybody => "pushbroadcastmsg",
        }
    }

    fn push_payload(&self) -> Value {
        let target = match self.target {
            Target::User(id) => Some(("to", id.into())),
            Target::Group(id) => Some(("gid", id.into())),
            Target::Room(id) => Some(("rid", id.into())),
            Target::Everybody => None,
        };
        Value::map(
            [("from", self.from.into())]
                .into_iter()
                .chain(target)
                .chain([
                    ("mtype", self.mtype.into()),
                    ("mid", self.mid.into()),
                    ("msg", self.body.clone()),
                    ("attrs", self.attrs.as_str().into()),
                    ("mtime", self.mtime.into()),
                ]),
        )
    }
}

fn sendmsg(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let to = params.int("to")?;
    let message = Message::read(Target::User(to), cx.uid, params)?;
    if to == cx.uid {
        return Err(Refusal::code(200052));
    }
    send(cx, &message)
}

fn sendgroupmsg(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let gid = params.int("gid")?;
    let message = Message::read(Target::Group(gid), cx.uid, params)?;
    let uid = cx.uid;
    if super::group::of_member(cx, gid)?.muted.contains(&uid) {
        return Err(Refusal::code(200044));
    }
    send(cx, &message)
}

fn sendroommsg(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let rid = params.int("rid")?;
    let message = Message::read(Target::Room(rid), cx.uid, params)?;
    super::room::require_inside(cx, rid)?;
    let room = cx.world.rooms.get(&rid);
    if room.is_some_and(|room| room.muted.contains(&cx.uid)) {
        return Err(Refusal::code(200045));
    }
    send(cx, &message)
}

fn send(cx: &mut Cx<'_>, message: &Message) -> Result<Value, Refusal> {
    if !cx.world.take_mid(cx.uid, message.mid) {
        return Err(Refusal::code(200053));
    }
    post(cx.service, cx.world, message, Some(cx.conn.number));
    Ok(Value::map([("mtime", message.mtime.into())]))
}

/// Keeps the message, and pushes it to every session concerned but the one it came from.
pub(super) fn post(service: &Service, world: &mut World, message: &Message, except: Option<u64>) {
    world.history.keep(message);
    note_unread(world, message);
    let targets = sessions_concerned(world, message)
        .into_iter()
        .filter(|conn| Some(conn.number) != except)
        .collect::<Vec<_>>();
    service.push_to_all(&targets, message.push_name(), &message.push_payload());
}

/// Who is offline finds the conversation among the unread ones.
fn note_unread(world: &mut World, message: &Message) {
    let from = message.from;
    match message.target {
        Target::User(to) if !world.is_online(to) => {
            // Nobody is made a user by being written to.
            if let Some(user) = world.users.get_mut(&to) {
                user.unread.peers.insert(from);
            }
        }
        Target::Group(gid) => {
            let members = world.groups.get(&gid).map(|group| group.members.clone());
            for uid in members.unwrap_or_default() {
                let offline = uid != from && !world.is_online(uid);
                if let Some(user) = world.users.get_mut(&uid).filter(|_| offline) {
                    user.unread.groups.insert(gid);
                }
            }
        }
        _ => {}
    }
}

fn sessions_concerned(world: &World, message: &Message) -> Vec<Arc<Conn>> {
    let sessions_of = |uid: i64| world.sessions_of(uid).map(|s| Arc::clone(&s.conn));
    let all = || world.sessions.values();
    match message.target {
        Target::User(to) => sessions_of(to).chain(sessions_of(message.from)).collect(),
        Target::Group(gid) => world
            .groups
            .get(&gid)
            .into_iter()
            .flat_map(|group| group.members.iter().copied())
            .flat_map(sessions_of)
            .collect(),
        Target::Room(rid) => all()
            .filter(|session| session.rooms.contains(&rid))
            .map(|session| Arc::clone(&session.conn))
            .collect(),
        Target::Everybody => all().map(|session| Arc::clone(&session.conn)).collect(),
    }
}

/// Sends to everybody, as the project's own server does.
pub(crate) fn broadcast(service: &Service, world: &mut World, from: i64, mtype: i64, text: &str) {
    let mtime = now_ms();
    let message = Message {
        target: Target::Everybody,
        from,
        mid: world.next_mid(mtime),
        mtype,
        body: text.into(),
        attrs: String::new(),
        mtime,
    };
    post(service, world, &message, None);
}
