//! The request type of each method of the JavaScript SDK.

use std::collections::BTreeMap;

use bytes::BytesMut;
use rmpv::Value;
use rtm_proto::api::*;
use rtm_proto::payload::{Payload, PayloadWriter};
use rtm_proto::{
    Body, Context, GroupId, MessageId, MessageType, Request, RoomId, Translation, UserId,
};

use super::records::{Args, map};

/// Recorded calls were made by this user.
pub(crate) const USER: UserId = UserId(654_321);

/// What the client would generate for a message without an id.
pub(crate) const GENERATED: MessageId = MessageId(1_591_322_544_123_001);

/// A typed request, whatever its type.
pub(crate) trait Call {
    fn method(&self) -> String;
    fn encode(&self) -> Vec<u8>;
    /// The response in the form of the records.
    fn decode(&self, answer: Payload) -> Value;
}

struct Typed<R: Request> {
    request: R,
    show: fn(R::Response) -> Value,
}

impl<R: Request> Typed<R> {
    fn context(&self) -> Context {
        let mut context = Context::default();
        context.user_id = USER;
        if let Some(message) = self.request.message() {
            context.message_id = match message.id.is_none() {
                true => GENERATED,
                false => message.id,
            };
        }
        context
    }
}

impl<R: Request> Call for Typed<R> {
    fn method(&self) -> String {
        self.request.method().into()
    }

    fn encode(&self) -> Vec<u8> {
        let mut buffer = BytesMut::new();
        let mut writer = PayloadWriter::new(&mut buffer);
        self.request.encode(&self.context(), &mut writer).unwrap();
        writer.finish().unwrap();
        buffer.to_vec()
    }

    fn decode(&self, answer: Payload) -> Value {
        let response = self.request.decode(&self.context(), answer).unwrap();
        (self.show)(response)
    }
}

fn call<R: Request>(request: R, show: fn(R::Response) -> Value) -> Box<dyn Call> {
    Box::new(Typed { request, show })
}

fn nothing((): ()) -> Value {
    map([])
}

fn id_list<T: Into<i64>>(ids: Vec<T>) -> Value {
    Value::Array(ids.into_iter().map(|id| Value::from(id.into())).collect())
}

fn receipt(receipt: Receipt) -> Value {
    let time = receipt.time_ms.map(|time| ("mtime", time.into()));
    map([("mid", receipt.message_id.0.into()), ("payload", map(time))])
}

fn body(body: &Body) -> Value {
    match body {
        Body::Text(text) => text.as_str().into(),
        Body::Binary(bytes) => Value::Binary(bytes.to_vec()),
    }
}

fn page(page: HistoryPage) -> Value {
    map([
        ("num", page.count.into()),
        ("lastid", page.cursor.into()),
        ("begin", page.since_ms.into()),
        ("end", page.until_ms.into()),
        ("msgs", page.records.iter().map(record).collect()),
    ])
}

/// Whether a record is `from` somebody or has a `direction` depends on the
/// conversation; the comparison looks at what was recorded.
fn record(record: &HistoryRecord) -> Value {
    let direction = if record.sender == USER { 1 } else { 2 };
    map([
        ("id", record.cursor.into()),
        ("from", record.sender.0.into()),
        ("direction", direction.into()),
        ("mtype", record.message_type.0.into()),
        ("mid", record.message_id.0.into()),
        ("deleted", record.deleted.into()),
        ("msg", body(&record.body)),
        ("binary", Value::Binary(record.body.as_bytes().to_vec())),
        ("attrs", record.attrs.as_str().into()),
        ("mtime", record.time_ms.into()),
    ])
}

fn stored(message: StoredMessage) -> Value {
    map([
        ("id", message.cursor.into()),
        ("mtype", message.message_type.0.into()),
        ("msg", body(&message.body)),
        ("attrs", message.attrs.as_str().into()),
        ("mtime", message.time_ms.into()),
    ])
}

fn unread(unread: Unread) -> Value {
    map([
        ("p2p", id_list(unread.peers)),
        ("group", id_list(unread.groups)),
    ])
}

fn conversations(conversations: Conversations) -> Value {
    let peers = conversations.peers.iter().map(|known| known.id);
    let groups = conversations.groups.iter().map(|known| known.id);
    map([
        ("p2p", id_list(peers.collect())),
        ("group", id_list(groups.collect())),
    ])
}

fn info(info: Info) -> Value {
    map([
        ("oinfo", info.public_info.into()),
        ("pinfo", info.private_info.into()),
    ])
}

fn public_info(text: String) -> Value {
    map([("oinfo", text.into())])
}

fn public_infos(texts: BTreeMap<UserId, String>) -> Value {
    let texts = texts.into_iter().map(|(id, text)| (id.to_string(), text));
    let texts: Vec<(String, String)> = texts.collect();
    let entries = texts
        .iter()
        .map(|(id, text)| (id.as_str(), text.as_str().into()));
    map([("info", map(entries))])
}

fn data(value: Option<String>) -> Value {
    map(value.map(|value| ("val", value.into())))
}

fn attributes(sessions: Vec<SessionAttributes>) -> Value {
    let sessions = sessions.iter().map(|session| {
        let attributes = session.0.iter();
        map(attributes.map(|(key, value)| (key.as_str(), value.as_str().into())))
    });
    map([("attrs", sessions.collect())])
}

fn translation(translation: Translation) -> Value {
    map([
        ("source", translation.source_language.into()),
        ("target", translation.target_language.into()),
        ("sourceText", translation.source_text.into()),
        ("targetText", translation.target_text.into()),
    ])
}

fn filtered(text: FilteredText) -> Value {
    let found = text.classification.into_iter().map(Value::from);
    map([
        ("text", text.text.into()),
        ("classification", found.collect()),
    ])
}

fn file_token(token: FileToken) -> Value {
    map([
        ("token", token.token.expose().into()),
        ("endpoint", token.endpoint.into()),
    ])
}

/// The request that stands for a call of the JavaScript SDK; none for what is
/// part of the client itself.
pub(crate) fn typed(sdk_method: &str, args: &Args<'_>) -> Option<Box<dyn Call>> {
    send(sdk_method, args)
        .or_else(|| past(sdk_method, args))
        .or_else(|| people(sdk_method, args))
        .or_else(|| places(sdk_method, args))
        .or_else(|| session(sdk_method, args))
        .or_else(|| tools(sdk_method, args))
}

fn send(sdk_method: &str, args: &Args<'_>) -> Option<Box<dyn Call>> {
    let what = sdk_method.strip_prefix("send")?;
    let (to, what): (Recipient, &str) = if let Some(what) = what.strip_prefix("Group") {
        (GroupId(args.int("gid")).into(), what)
    } else if let Some(what) = what.strip_prefix("Room") {
        (RoomId(args.int("rid")).into(), what)
    } else {
        (UserId(args.int("to")).into(), what)
    };
    let request = match what {
        "Message" => {
            let mtype = u8::try_from(args.int("mtype")).unwrap();
            SendMessage::new(to, mtype, args.text("msg"))
        }
        "Chat" => SendMessage::chat(to, args.text("msg")),
        "Audio" => SendMessage::audio(to, args.text("msg")),
        "Cmd" => SendMessage::command(to, args.text("msg")),
        "File" => return Some(call(GetFileToken::for_recipient(to), file_token)),
        _ => return None,
    };
    let mut request = request.message_id(MessageId(args.opt_int("mid").unwrap_or(0)));
    if let Some(attrs) = args.opt_text("attrs") {
        request = request.attrs(attrs);
    }
    Some(call(request, receipt))
}

fn past(sdk_method: &str, args: &Args<'_>) -> Option<Box<dyn Call>> {
    let target = || match args.int("type") {
        1 => Target::User(UserId(args.int("xid"))),
        2 => Target::Group(GroupId(args.int("xid"))),
        _ => Target::Room(RoomId(args.int("xid"))),
    };
    Some(match sdk_method {
        "getGroupMessage" | "getGroupChat" => history(sdk_method, args, GroupId(args.int("gid"))),
        "getRoomMessage" | "getRoomChat" => history(sdk_method, args, RoomId(args.int("rid"))),
        "getP2PMessage" | "getP2PChat" => history(sdk_method, args, UserId(args.int("ouid"))),
        "getBroadcastMessage" | "getBroadcastChat" => history(sdk_method, args, Target::Broadcast),
        "getMessage" | "getChat" => call(GetMessage::new(target(), args.int("mid")), stored),
        "deleteMessage" | "deleteChat" => {
            call(DeleteMessage::new(target(), args.int("mid")), nothing)
        }
        "getUnreadMessage" => {
            let request = GetUnread::new();
            let request = args
                .opt_flag("clear")
                .map_or(request, |on| request.clear(on));
            call(request, unread)
        }
        "cleanUnreadMessage" => call(ClearUnread, nothing),
        "getSession" => call(GetSessions, conversations),
        _ => return None,
    })
}

fn history(sdk_method: &str, args: &Args<'_>, target: impl Into<Target>) -> Box<dyn Call> {
    let count = u32::try_from(args.int("num")).unwrap();
    let mut request = match sdk_method.ends_with("Chat") {
        true => GetHistory::chat(target, count),
        false => GetHistory::new(target, count),
    };
    request = match args.opt_flag("desc").unwrap() {
        true => request.newest_first(),
        false => request.oldest_first(),
    };
    if let Some(time) = args.opt_int("begin") {
        request = request.since_ms(time);
    }
    if let Some(time) = args.opt_int("end") {
        request = request.until_ms(time);
    }
    if let Some(cursor) = args.opt_int("lastid") {
        request = request.cursor(cursor);
    }
    if let Some(types) = args.opt_ints("mtypes") {
        let types = types.iter().map(|mtype| u8::try_from(*mtype).unwrap());
        request = request.message_types(types.map(MessageType));
    }
    call(request, page)
}

fn people(sdk_method: &str, args: &Args<'_>) -> Option<Box<dyn Call>> {
    Some(match sdk_method {
        "addFriends" => call(AddFriends::new(args.ints("friends")), nothing),
        "deleteFriends" => call(RemoveFriends::new(args.ints("friends")), nothing),
        "getFriends" => call(GetFriends, id_list),
        "getOnlineUsers" => call(GetOnlineUsers::new(args.ints("uids")), id_list),
        "getUserOpenInfo" => call(GetUsersPublicInfo::new(args.ints("uids")), public_infos),
        "getUserInfo" => call(GetUserInfo, info),
        "setUserInfo" => {
            let mut request = SetUserInfo::new();
            if let Some(text) = args.opt_text("oinfo") {
                request = request.public_info(text);
            }
            if let Some(text) = args.opt_text("pinfo") {
                request = request.private_info(text);
            }
            call(request, nothing)
        }
        _ => return None,
    })
}

fn places(sdk_method: &str, args: &Args<'_>) -> Option<Box<dyn Call>> {
    let group = || GroupId(args.int("gid"));
    let room = || RoomId(args.int("rid"));
    Some(match sdk_method {
        "addGroupMembers" => call(AddGroupMembers::new(group(), args.ints("uids")), nothing),
        "deleteGroupMembers" => call(RemoveGroupMembers::new(group(), args.ints("uids")), nothing),
        "getGroupMembers" => call(GetGroupMembers::new(group()), id_list),
        "getUserGroups" => call(GetUserGroups, id_list),
        "getGroupInfo" => call(GetGroupInfo::new(group()), info),
        "getGroupOpenInfo" => call(GetGroupPublicInfo::new(group()), public_info),
        "setGroupInfo" => {
            let mut request = SetGroupInfo::new(group());
            if let Some(text) = args.opt_text("oinfo") {
                request = request.public_info(text);
            }
            if let Some(text) = args.opt_text("pinfo") {
                request = request.private_info(text);
            }
            call(request, nothing)
        }
        "enterRoom" => call(EnterRoom::new(room()), nothing),
        "leaveRoom" => call(LeaveRoom::new(room()), nothing),
        "getUserRooms" => call(GetUserRooms, id_list),
        "getRoomInfo" => call(GetRoomInfo::new(room()), info),
        "getRoomOpenInfo" => call(GetRoomPublicInfo::new(room()), public_info),
        "setRoomInfo" => {
            let mut request = SetRoomInfo::new(room());
            if let Some(text) = args.opt_text("oinfo") {
                request = request.public_info(text);
            }
            if let Some(text) = args.opt_text("pinfo") {
                request = request.private_info(text);
            }
            call(request, nothing)
        }
        _ => return None,
    })
}

fn session(sdk_method: &str, args: &Args<'_>) -> Option<Box<dyn Call>> {
    Some(match sdk_method {
        "addAttrs" => call(SetAttributes::new(args.texts("attrs")), nothing),
        "getAttrs" => call(GetAttributes, attributes),
        "kickout" => call(KickSession::new(args.text("ce")), nothing),
        "addDevice" => {
            let request = AddDevice::new(args.text("apptype"), args.text("devicetoken"));
            call(request, nothing)
        }
        "removeDevice" => call(RemoveDevice::new(args.text("devicetoken")), nothing),
        "addDebugLog" => call(
            AddDebugLog::new(args.text("msg"), args.text("attrs")),
            nothing,
        ),
        _ => return None,
    })
}

fn tools(sdk_method: &str, args: &Args<'_>) -> Option<Box<dyn Call>> {
    Some(match sdk_method {
        "dataSet" => {
            let value = args.opt_text("value").unwrap_or_default();
            call(SetData::new(args.text("key"), value), nothing)
        }
        "dataGet" => call(GetData::new(args.text("key")), data),
        "dataDelete" => call(DeleteData::new(args.text("key")), nothing),
        "setTranslationLanguage" => {
            let request = SetTranslationLanguage::new(args.text("targetLanguage"));
            call(request, nothing)
        }
        "translate" => call(translate(args), translation),
        "profanity" => {
            let request = FilterProfanity::new(args.text("text"));
            let classify = args.opt_flag("classify");
            call(
                classify.map_or(request.clone(), |on| request.classify(on)),
                filtered,
            )
        }
        "fileToken" => call(get_file_token(args), file_token),
        _ => return None,
    })
}

fn translate(args: &Args<'_>) -> Translate {
    let mut request = Translate::new(args.text("originalMessage"), args.text("targetLanguage"));
    if let Some(language) = args.opt_text("originalLanguage") {
        request = request.source_language(language);
    }
    if let Some(name) = args.opt_text("type") {
        request = request.text_type(name.as_str());
    }
    if let Some(name) = args.opt_text("profanity") {
        request = request.profanity(name.as_str());
    }
    if let Some(on) = args.opt_flag("postProfanity") {
        request = request.post_profanity(on);
    }
    request
}

fn get_file_token(args: &Args<'_>) -> GetFileToken {
    let mut request = GetFileToken::new(args.text("cmd").as_str());
    if let Some(user) = args.opt_int("to") {
        request = request.to_user(user);
    }
    if let Some(users) = args.opt_ints("tos") {
        request = request.to_users(users);
    }
    if let Some(group) = args.opt_int("gid") {
        request = request.to_group(group);
    }
    if let Some(room) = args.opt_int("rid") {
        request = request.to_room(room);
    }
    request
}
