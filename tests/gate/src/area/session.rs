//! Dispatch, login, and what belongs to a session.

use super::{Cx, DONE, Table};
use crate::clock::{now_ms, utc_text};
use crate::conn::{Conn, Mode};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::seen::Ended;
use crate::service::Service;
use crate::wire::Value;
use crate::world::{Session, World};
use std::sync::Arc;

pub(super) const METHODS: Table = &[
    ("bye", bye),
    ("kickout", kickout),
    ("addattrs", addattrs),
    ("getattrs", getattrs),
    ("adddebuglog", adddebuglog),
    ("adddevice", adddevice),
    ("removedevice", removedevice),
];

/// Tells where the gate is, to whoever asks.
pub(crate) fn which(params: &Params<'_>, endpoint: &str) -> Result<Value, Refusal> {
    match params.text("what")? {
        "rtmGated" => Ok(Value::map([("endpoint", endpoint.into())])),
        _ => Err(Refusal::code(200034)),
    }
}

pub(crate) fn auth(
    service: &Service,
    world: &mut World,
    conn: &Arc<Conn>,
    params: &Params<'_>,
) -> Result<Value, Refusal> {
    if world.sessions.contains_key(&conn.number) {
        return Err(Refusal::code(200023));
    }
    let project_id = params.int("pid")?;
    let uid = params.int("uid")?;
    let token = params.text("token")?;
    params.opt_text("version")?;
    let attrs = params.opt_texts("attrs")?.unwrap_or_default();
    let language = params.opt_text("lang")?;
    if project_id != i64::from(service.config.project_id) {
        return Err(Refusal::code(200001));
    }
    let Some(user) = world.users.get_mut(&uid) else {
        return Ok(Value::map([("ok", false.into())]));
    };
    if user.banned {
        return Err(Refusal::code(200024));
    }
    if !user.tokens.iter().any(|valid| valid == token) {
        return Ok(Value::map([("ok", false.into())]));
    }
    if let Some(language) = language {
        user.language = language.to_owned();
    }
    world.open_session(Session {
        conn: Arc::clone(conn),
        user: uid,
        rooms: Vec::new(),
        attrs,
        login_ms: now_ms(),
    });
    conn.start_pings(service.config.times.ping);
    service.recorder.logged_in(conn.number, uid);
    Ok(Value::map([("ok", true.into())]))
}

fn bye(cx: &mut Cx<'_>, _: &Params<'_>) -> Result<Value, Refusal> {
    cx.world.close_session(cx.conn.number);
    cx.conn.stop_pings();
    DONE
}

/// Ends another session of the same user, named by the `ce` that `getattrs` gave.
fn kickout(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let endpoint = params.text("ce")?;
    if endpoint == cx.conn.peer.to_string() {
        return Err(Refusal::code(200012));
    }
    let number = cx
        .world
        .sessions_of(cx.uid)
        .find(|session| session.conn.peer.to_string() == endpoint)
        .map(|session| session.conn.number)
        .ok_or_else(|| Refusal::code(200034))?;
    end_session(cx.service, cx.world, number);
    DONE
}

/// Tells a session that it was kicked out, and closes its connection.
pub(crate) fn end_session(service: &Service, world: &mut World, number: u64) {
    if let Some(session) = world.close_session(number) {
        service.push(&session.conn, "kickout", &Value::EMPTY, Mode::OneWay);
        session.conn.finish(Ended::Kicked);
    }
}

fn addattrs(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let attrs = params.texts("attrs")?;
    cx.session()?.attrs = attrs;
    DONE
}

/// One map per session of the user: its attributes, its endpoint, its login time; `my` marks the asking one.
fn getattrs(cx: &mut Cx<'_>, _: &Params<'_>) -> Result<Value, Refusal> {
    let asking = cx.conn.number;
    let maps = cx.world.sessions_of(cx.uid).map(|session| {
        let mut map = session.attrs.clone();
        map.insert("ce".into(), session.conn.peer.to_string());
        map.insert("login".into(), utc_text(session.login_ms));
        if session.conn.number == asking {
            map.insert("my".into(), "1".into());
        }
        Value::map(map.iter().map(|(k, v)| (k.as_str(), v.as_str().into())))
    });
    Ok(Value::map([("attrs", Value::Array(maps.collect()))]))
}

fn adddebuglog(_: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    params.text("msg")?;
    params.text("attrs")?;
    DONE
}

fn adddevice(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let kind = params.text("apptype")?.to_owned();
    let token = params.text("devicetoken")?.to_owned();
    cx.user().devices.insert(token, kind);
    DONE
}

fn removedevice(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let token = params.text("devicetoken")?;
    cx.user().devices.remove(token);
    DONE
}
