//! Events of the client in the form of the records.

use rtm_proto::payload::Payload;
use rtm_proto::{Conversation, Event, Message, State, UserId};

use super::compare;
use super::record::{Record, Verdict};
use super::server::{PATIENCE, Step};
use super::subject::Subject;
use crate::package;
use crate::value::Value;

/// Sequence number of the push that ends every script.
pub(crate) const LAST_SEQ: u32 = 0x7e5d_0001;
/// Its sender.
const LAST_SENDER: i64 = -0x7e5d_0001;

/// A push that no record has. Pushes keep their order, so when it has been
/// answered and delivered, so has everything before it.
pub(crate) fn last_push() -> Step {
    let body = super::setup::packed([
        ("from", LAST_SENDER.into()),
        ("mtype", 30.into()),
        ("mid", 0.into()),
        ("msg", "the last one".into()),
    ]);
    Step::Message(package::quest(LAST_SEQ, "pushmsg", &body))
}

/// An event by its name in the SDK, with its data.
pub(crate) type Named = (&'static str, Value);

/// Reads events up to the last push, or until the client is closed.
///
/// # Errors
///
/// A text when they stop before that, or one could not be understood.
pub(crate) fn collect<S: Subject>(client: &S) -> Result<Vec<Named>, String> {
    let mut events = Vec::new();
    loop {
        let Some(event) = client.next_event(PATIENCE) else {
            return Err(format!("no event after {}", names(&events)));
        };
        match event {
            Event::Message(message) if message.sender == UserId(LAST_SENDER) => return Ok(events),
            Event::State(State::Closed { .. }) => return Ok(events),
            Event::Undecodable { method, error, .. } => {
                return Err(format!("push {method} was not understood: {error}"));
            }
            Event::Lagged { missed } => return Err(format!("{missed} events were dropped")),
            event => events.extend(named(&event)?),
        }
    }
}

/// Compares events with those of a record, in order.
///
/// # Errors
///
/// A text that names the first difference.
pub(crate) fn judge(wanted: &[Record], found: &[Named]) -> Verdict {
    let listed: Result<Vec<&str>, String> =
        wanted.iter().map(|event| event.text("event")).collect();
    let listed = listed?;
    if listed.len() != found.len() || listed.iter().zip(found).any(|(want, got)| *want != got.0) {
        return Err(format!("events {} instead of {listed:?}", names(found)));
    }
    for (want, (name, data)) in wanted.iter().zip(found) {
        let want = want.value("data")?.unwrap_or(Value::Nil);
        compare::data(&want, data).map_err(|why| format!("event {name}: {why}"))?;
    }
    Ok(())
}

fn names(events: &[Named]) -> String {
    let names: Vec<&str> = events.iter().map(|event| event.0).collect();
    format!("{names:?}")
}

/// Nothing for events that are not compared: states, unknown pushes,
/// diagnostics.
fn named(event: &Event) -> Result<Option<Named>, String> {
    let Some(name) = event.push_name() else {
        return Ok(None);
    };
    let data = match event {
        Event::Message(message) => message_data(message),
        Event::KickedOut(payload) => payload_data(payload)?,
        Event::KickedOutOfRoom(room) => Value::map([("rid", room.get().into())]),
        _ => Value::map([]),
    };
    Ok(Some((name, data)))
}

fn message_data(message: &Message) -> Value {
    let body = Value::Bytes(message.body.as_bytes().to_vec());
    let mut data = Value::map([
        ("from", message.sender.get().into()),
        ("mtype", i64::from(message.message_type.0).into()),
        ("mid", message.message_id.get().into()),
        ("msg", body.clone()),
        ("binary", body),
        ("attrs", message.attrs.as_str().into()),
        ("mtime", message.time_ms.into()),
    ]);
    let place = match message.conversation {
        Conversation::Group(group) => Some(("gid", group.get())),
        Conversation::Room(room) => Some(("rid", room.get())),
        Conversation::P2p | Conversation::Broadcast => None,
    };
    if let (Value::Map(entries), Some((key, id))) = (&mut data, place) {
        entries.push((key.into(), id.into()));
    }
    data
}

fn payload_data(payload: &Payload) -> Result<Value, String> {
    let value = payload.to_value();
    value
        .map(|value| Value::from_msgpack(&value))
        .map_err(|error| error.to_string())
}
