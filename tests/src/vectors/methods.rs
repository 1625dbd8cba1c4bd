//! Which method of the client each recorded call means.

use rtm_proto::api::{Receipt, Recipient, SendFile, SendMessage, SessionAttributes};
use rtm_proto::error::RequestError;
use rtm_proto::{GroupId, MessageId, RoomId, UserId};

use super::args::Args;
use super::subject::Subject;
use crate::value::Value;

/// What a call gave, in the form of the records.
pub(crate) type Outcome = Result<Value, RequestError>;

/// Why a call was not made: the client has no such method.
pub const NOT_BUILT: &str = "method not built";

/// Declares the table: the SDK's name, the call, and how its result is shown.
macro_rules! methods {
    ($client:ident, $args:ident; $($name:literal => $call:expr => $show:expr;)*) => {
        const BUILT: &[&str] = &[$($name),*];

        /// Makes the call that the SDK's method `name` stands for.
        ///
        /// # Errors
        ///
        /// [`NOT_BUILT`], or which argument of the record cannot be used.
        pub(crate) fn call<S: Subject>(name: &str, $client: &S, $args: &Args) -> Result<Outcome, String> {
            match name {
                $($name => Ok($call.map($show)),)*
                _ => Err(NOT_BUILT.into()),
            }
        }
    };
}

methods! { client, args;
    "addAttrs" => client.wait(client.set_attributes(args.texts("attrs")?)) => nothing;
    "addDebugLog" => client.wait(client.add_debug_log(args.text("msg")?, args.text("attrs")?)) => nothing;
    "addDevice" => client.wait(client.add_device(args.text("apptype")?, args.text("devicetoken")?)) => nothing;
    "addGroupMembers" => client.wait(client.add_group_members(args.int("gid")?, args.ints("uids")?)) => nothing;
    "close" => log_out(client) => nothing;
    "deleteGroupMembers" => client.wait(client.remove_group_members(args.int("gid")?, args.ints("uids")?)) => nothing;
    "enterRoom" => client.wait(client.enter_room(args.int("rid")?)) => nothing;
    "getAttrs" => client.wait(client.get_attributes()) => attributes;
    "getGroupMembers" => client.wait(client.get_group_members(args.int("gid")?)) => ids;
    "getUserGroups" => client.wait(client.get_user_groups()) => ids;
    "getUserRooms" => client.wait(client.get_user_rooms()) => ids;
    "kickout" => client.wait(client.kick_session(args.text("ce")?)) => nothing;
    "leaveRoom" => client.wait(client.leave_room(args.int("rid")?)) => nothing;
    "removeDevice" => client.wait(client.remove_device(args.text("devicetoken")?)) => nothing;
    "sendAudio" => send(client, SendMessage::audio(user(args)?, args.body()?), args)? => receipt;
    "sendChat" => send(client, SendMessage::chat(user(args)?, args.text("msg")?), args)? => receipt;
    "sendCmd" => send(client, SendMessage::command(user(args)?, args.text("msg")?), args)? => receipt;
    "sendFile" => send_file(client, user(args)?, args)? => receipt;
    "sendGroupAudio" => send(client, SendMessage::audio(group(args)?, args.body()?), args)? => receipt;
    "sendGroupChat" => send(client, SendMessage::chat(group(args)?, args.text("msg")?), args)? => receipt;
    "sendGroupCmd" => send(client, SendMessage::command(group(args)?, args.text("msg")?), args)? => receipt;
    "sendGroupFile" => send_file(client, group(args)?, args)? => receipt;
    "sendGroupMessage" => send(client, SendMessage::new(group(args)?, args.mtype()?, args.body()?), args)? => receipt;
    "sendMessage" => send(client, SendMessage::new(user(args)?, args.mtype()?, args.body()?), args)? => receipt;
    "sendRoomAudio" => send(client, SendMessage::audio(room(args)?, args.body()?), args)? => receipt;
    "sendRoomChat" => send(client, SendMessage::chat(room(args)?, args.text("msg")?), args)? => receipt;
    "sendRoomCmd" => send(client, SendMessage::command(room(args)?, args.text("msg")?), args)? => receipt;
    "sendRoomFile" => send_file(client, room(args)?, args)? => receipt;
    "sendRoomMessage" => send(client, SendMessage::new(room(args)?, args.mtype()?, args.body()?), args)? => receipt;
    "setTranslationLanguage" => client.wait(client.set_translation_language(args.text("targetLanguage")?)) => nothing;
}

/// Whether the client has what the SDK's method `name` does.
pub fn is_built(name: &str) -> bool {
    name == "login" || BUILT.contains(&name)
}

fn user(args: &Args) -> Result<UserId, String> {
    args.int("to").map(UserId)
}

fn group(args: &Args) -> Result<GroupId, String> {
    args.int("gid").map(GroupId)
}

fn room(args: &Args) -> Result<RoomId, String> {
    args.int("rid").map(RoomId)
}

/// Sends a message with the attributes and the id that were given.
fn send<S: Subject>(
    client: &S,
    mut message: SendMessage,
    args: &Args,
) -> Result<Result<Receipt, RequestError>, String> {
    if let Some(attrs) = args.opt_text("attrs")? {
        message = message.attrs(attrs);
    }
    if let Some(id) = args.opt_int("mid")? {
        message = message.message_id(MessageId(id));
    }
    Ok(client.wait(client.call(message)))
}

/// Sends a file with the id that was given.
fn send_file<S: Subject>(
    client: &S,
    to: impl Into<Recipient>,
    args: &Args,
) -> Result<Result<Receipt, RequestError>, String> {
    let (name, content) = args.file()?;
    let mut file = SendFile::new(to, args.mtype()?, content).name(name);
    if let Some(id) = args.opt_int("mid")? {
        file = file.message_id(MessageId(id));
    }
    Ok(client.wait(client.call(file)))
}

fn log_out<S: Subject>(client: &S) -> Result<(), RequestError> {
    client.log_out();
    Ok(())
}

fn nothing((): ()) -> Value {
    Value::map([])
}

fn ids<T: Into<i64>>(ids: Vec<T>) -> Value {
    ids.into_iter().map(Into::<i64>::into).collect()
}

fn receipt(receipt: Receipt) -> Value {
    let payload = Value::map([("mtime", receipt.time_ms.into())]);
    Value::map([
        ("mid", receipt.message_id.get().into()),
        ("payload", payload),
    ])
}

fn attributes(sessions: Vec<SessionAttributes>) -> Value {
    let session = |session: SessionAttributes| {
        let pairs = session.0.into_iter();
        Value::Map(
            pairs
                .map(|(key, value)| (Value::Text(key), Value::Text(value)))
                .collect(),
        )
    };
    Value::map([("attrs", sessions.into_iter().map(session).collect())])
}
