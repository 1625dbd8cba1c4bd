//! Rooms: a session is in them, and leaves them by ending.

use super::{Cx, DONE, Table};
use crate::conn::Mode;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::wire::Value;
use crate::world::World;

pub(super) const METHODS: Table = &[
    ("enterroom", enterroom),
    ("leaveroom", leaveroom),
    ("getuserrooms", getuserrooms),
];

/// Rooms a user may be in, over all sessions; `rtm-doc`, limits of 2018.
const MAX_ROOMS: usize = 10;

/// Refused with 200040 unless the asking session is in the room.
pub(super) fn require_inside(cx: &mut Cx<'_>, rid: i64) -> Result<(), Refusal> {
    if cx.session()?.rooms.contains(&rid) {
        Ok(())
    } else {
        Err(Refusal::code(200040))
    }
}

fn enterroom(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let rid = params.int("rid")?;
    let single_room = cx.service.config.single_room;
    if cx.session()?.rooms.contains(&rid) {
        return DONE;
    }
    if single_room {
        cx.session()?.rooms.clear();
    }
    let rooms = cx.world.rooms_of(cx.uid);
    if !rooms.contains(&rid) && rooms.len() >= MAX_ROOMS {
        return Err(Refusal::code(200047));
    }
    cx.session()?.rooms.push(rid);
    DONE
}

fn leaveroom(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let rid = params.int("rid")?;
    cx.session()?.rooms.retain(|room| *room != rid);
    DONE
}

fn getuserrooms(cx: &mut Cx<'_>, _: &Params<'_>) -> Result<Value, Refusal> {
    let rooms = cx.session()?.rooms.clone();
    Ok(Value::map([("rooms", Value::ints(rooms))]))
}

/// Puts every session of the user out of the room and tells it so.
pub(crate) fn expel(service: &Service, world: &mut World, uid: i64, rid: i64) {
    let payload = Value::map([("rid", rid.into())]);
    for session in world.sessions.values_mut().filter(|s| s.user == uid) {
        let before = session.rooms.len();
        session.rooms.retain(|room| *room != rid);
        if session.rooms.len() < before {
            service.push(&session.conn, "kickoutroom", &payload, Mode::OneWay);
        }
    }
}
