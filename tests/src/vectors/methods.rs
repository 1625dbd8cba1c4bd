//! Which method of the client each recorded call means.

use rtm_proto::api::{
    FilterProfanity, GetFileToken, GetHistory, GetUnread, Receipt, Recipient, SendFile,
    SendMessage, SessionAttributes, Target, Translate,
};
use rtm_proto::error::RequestError;
use rtm_proto::{GroupId, MessageId, RoomId, UserId};

use super::args::Args;
use super::shown;
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
    "addFriends" => client.wait(client.add_friends(args.ints("friends")?)) => nothing;
    "addGroupMembers" => client.wait(client.add_group_members(args.int("gid")?, args.ints("uids")?)) => nothing;
    "cleanUnreadMessage" => client.wait(client.clear_unread()) => nothing;
    "close" => log_out(client) => nothing;
    "dataDelete" => client.wait(client.delete_data(args.text("key")?)) => nothing;
    "dataGet" => client.wait(client.get_data(args.text("key")?)) => shown::datum;
    "dataSet" => client.wait(client.set_data(args.text("key")?, args.opt_text("value")?.unwrap_or_default())) => nothing;
    "deleteChat" => client.wait(client.delete_chat(target(args)?, args.int("mid")?)) => nothing;
    "deleteFriends" => client.wait(client.remove_friends(args.ints("friends")?)) => nothing;
    "deleteGroupMembers" => client.wait(client.remove_group_members(args.int("gid")?, args.ints("uids")?)) => nothing;
    "deleteMessage" => client.wait(client.delete_message(target(args)?, args.int("mid")?)) => nothing;
    "enterRoom" => client.wait(client.enter_room(args.int("rid")?)) => nothing;
    "fileToken" => client.wait(client.call(file_token(args)?)) => shown::file_token;
    "getAttrs" => client.wait(client.get_attributes()) => attributes;
    "getBroadcastChat" => client.wait(client.call(history(GetHistory::chat, Target::Broadcast, args)?)) => shown::page;
    "getBroadcastMessage" => client.wait(client.call(history(GetHistory::new, Target::Broadcast, args)?)) => shown::page;
    "getChat" => client.wait(client.get_chat(target(args)?, args.int("mid")?)) => shown::stored;
    "getFriends" => client.wait(client.get_friends()) => ids;
    "getGroupChat" => client.wait(client.call(history(GetHistory::chat, group(args)?.into(), args)?)) => shown::page;
    "getGroupInfo" => client.wait(client.get_group_info(args.int("gid")?)) => shown::info;
    "getGroupMembers" => client.wait(client.get_group_members(args.int("gid")?)) => ids;
    "getGroupMessage" => client.wait(client.call(history(GetHistory::new, group(args)?.into(), args)?)) => shown::page;
    "getGroupOpenInfo" => client.wait(client.get_group_public_info(args.int("gid")?)) => shown::public_info;
    "getMessage" => client.wait(client.get_message(target(args)?, args.int("mid")?)) => shown::stored;
    "getOnlineUsers" => client.wait(client.get_online_users(args.ints("uids")?)) => ids;
    "getP2PChat" => client.wait(client.call(history(GetHistory::chat, peer(args)?, args)?)) => shown::page;
    "getP2PMessage" => client.wait(client.call(history(GetHistory::new, peer(args)?, args)?)) => shown::page;
    "getRoomChat" => client.wait(client.call(history(GetHistory::chat, room(args)?.into(), args)?)) => shown::page;
    "getRoomInfo" => client.wait(client.get_room_info(args.int("rid")?)) => shown::info;
    "getRoomMessage" => client.wait(client.call(history(GetHistory::new, room(args)?.into(), args)?)) => shown::page;
    "getRoomOpenInfo" => client.wait(client.get_room_public_info(args.int("rid")?)) => shown::public_info;
    "getSession" => client.wait(client.get_sessions()) => shown::conversations;
    "getUnreadMessage" => client.wait(client.call(GetUnread::new().clear(args.opt_flag("clear")?.unwrap_or_default()))) => shown::unread;
    "getUserGroups" => client.wait(client.get_user_groups()) => ids;
    "getUserInfo" => client.wait(client.get_user_info()) => shown::info;
    "getUserOpenInfo" => client.wait(client.get_users_public_info(args.ints("uids")?)) => shown::public_infos;
    "getUserRooms" => client.wait(client.get_user_rooms()) => ids;
    "kickout" => client.wait(client.kick_session(args.text("ce")?)) => nothing;
    "leaveRoom" => client.wait(client.leave_room(args.int("rid")?)) => nothing;
    "profanity" => client.wait(client.call(profanity(args)?)) => shown::filtered;
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
    "setGroupInfo" => client.wait(client.set_group_info(args.int("gid")?, args.opt_text("oinfo")?, args.opt_text("pinfo")?)) => nothing;
    "setRoomInfo" => client.wait(client.set_room_info(args.int("rid")?, args.opt_text("oinfo")?, args.opt_text("pinfo")?)) => nothing;
    "setTranslationLanguage" => client.wait(client.set_translation_language(args.text("targetLanguage")?)) => nothing;
    "setUserInfo" => client.wait(client.set_user_info(args.opt_text("oinfo")?, args.opt_text("pinfo")?)) => nothing;
    "translate" => client.wait(client.call(translation(args)?)) => shown::translation;
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

fn peer(args: &Args) -> Result<Target, String> {
    args.int("ouid").map(|id| UserId(id).into())
}

/// Where a stored message is: `xid` and `type` of the seed.
fn target(args: &Args) -> Result<Target, String> {
    let id = args.int("xid")?;
    match args.int("type")? {
        1 => Ok(UserId(id).into()),
        2 => Ok(GroupId(id).into()),
        3 => Ok(RoomId(id).into()),
        other => Err(format!("argument type: {other} is no kind of target")),
    }
}

/// A page of a history, everything set that was given.
fn history(
    new: fn(Target, u32) -> GetHistory,
    target: Target,
    args: &Args,
) -> Result<GetHistory, String> {
    let count = u32::try_from(args.int("num")?).map_err(|_| "argument num is no count")?;
    let mut request = new(target, count);
    if !args.flag("desc")? {
        request = request.oldest_first();
    }
    if let Some(time) = args.opt_int("begin")? {
        request = request.since_ms(time);
    }
    if let Some(time) = args.opt_int("end")? {
        request = request.until_ms(time);
    }
    if let Some(cursor) = args.opt_int("lastid")? {
        request = request.cursor(cursor);
    }
    if args.get("mtypes").is_some() {
        let types: Result<Vec<u8>, _> =
            args.ints("mtypes")?.into_iter().map(u8::try_from).collect();
        request = request.message_types(types.map_err(|_| "argument mtypes holds no type")?);
    }
    Ok(request)
}

fn file_token(args: &Args) -> Result<GetFileToken, String> {
    let mut request = GetFileToken::new(args.text("cmd")?);
    if args.get("tos").is_some() {
        request = request.to_users(args.ints("tos")?);
    }
    if let Some(user) = args.opt_int("to")? {
        request = request.to_user(user);
    }
    if let Some(group) = args.opt_int("gid")? {
        request = request.to_group(group);
    }
    if let Some(room) = args.opt_int("rid")? {
        request = request.to_room(room);
    }
    Ok(request)
}

fn translation(args: &Args) -> Result<Translate, String> {
    let mut request = Translate::new(args.text("originalMessage")?, args.text("targetLanguage")?);
    if let Some(language) = args.opt_text("originalLanguage")? {
        request = request.source_language(language);
    }
    if let Some(text_type) = args.opt_text("type")? {
        request = request.text_type(text_type);
    }
    if let Some(profanity) = args.opt_text("profanity")? {
        request = request.profanity(profanity);
    }
    if let Some(on) = args.opt_flag("postProfanity")? {
        request = request.post_profanity(on);
    }
    Ok(request)
}

fn profanity(args: &Args) -> Result<FilterProfanity, String> {
    let mut request = FilterProfanity::new(args.text("text")?);
    if let Some(on) = args.opt_flag("classify")? {
        request = request.classify(on);
    }
    Ok(request)
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
