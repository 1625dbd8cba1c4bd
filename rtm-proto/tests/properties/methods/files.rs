//! Permission for a file, and the file itself.

use md5::{Digest, Md5};
use proptest::option::of;
use proptest::prelude::*;
use rmpv::Value;
use rtm_proto::api::*;
use rtm_proto::frame::Quest;
use rtm_proto::{
    Client, Config, Context, FileSignature, GroupId, Input, MessageId, MessageType, Output,
    RequestOptions, RoomId, UserId,
};

use super::check::Method;
use super::methods;
use super::values::{bytes, given, id, ids, list, text};
use crate::peer::{START, UNIX, answer, dialed, map, outputs, quests, receive};

/// A file and those who send it: project, sender, type, content, name,
/// message id, token, and which signature they use.
type Sent = (u32, i64, u8, Vec<u8>, Option<String>, i64, String, bool);

fn sent() -> impl Strategy<Value = Sent> {
    let mid = id().prop_filter("an id of its own", |mid| *mid != 0);
    let name = of(prop_oneof![text(), "[a-z]{0,8}\\.[a-z]{0,4}"]);
    (
        any::<u32>(),
        id(),
        40..=50_u8,
        bytes(),
        name,
        mid,
        text(),
        any::<bool>(),
    )
}

/// The quest that brings the file, at the end of all that comes before it.
fn upload(config: Config, file: &SendFile, token: &str) -> Quest {
    let mut client = Client::new(config, 1, START, UNIX);
    client.login(START);
    let gate = dialed(&outputs(&mut client));
    client.handle_input(START, Input::Connected { conn: gate });
    answer_next(&mut client, gate, &[("ok", true.into())]);
    outputs(&mut client);
    client
        .request(START, file, RequestOptions::default())
        .unwrap();
    let permission = [("token", token.into()), ("endpoint", "tcp://file:1".into())];
    answer_next(&mut client, gate, &permission);
    let conn = dialed(&outputs(&mut client));
    client.handle_input(START, Input::Connected { conn });
    let mut sent = quests(&mut client, conn);
    assert_eq!(sent.len(), 1);
    let quest = sent.remove(0);
    receive(
        &mut client,
        START,
        conn,
        answer(quest.seq.unwrap(), &map(&[])),
    );
    let ends = outputs(&mut client);
    let mut ends = ends.iter().filter_map(|output| match output {
        Output::Answer { result, .. } => Some(result.is_ok()),
        _ => None,
    });
    assert_eq!((ends.next(), ends.next()), (Some(true), None));
    quest
}

fn answer_next(client: &mut Client, conn: rtm_proto::ConnId, fields: &[(&str, Value)]) {
    let quest = quests(client, conn).remove(0);
    let body = map(fields);
    receive(client, START, conn, answer(quest.seq.unwrap(), &body));
}

/// The attributes of a file, by the rules of the two signatures.
fn attrs(content: &[u8], name: Option<&str>, token: &str, is_current: bool) -> serde_json::Value {
    let hex = |bytes: &[u8]| -> String {
        let lower: String = Md5::digest(bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        if is_current {
            lower
        } else {
            lower.to_uppercase()
        }
    };
    let sign = hex(format!("{}:{token}", hex(content)).as_bytes());
    let ext = name
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, ext)| ext);
    if !is_current {
        return serde_json::json!({"sign": sign, "ext": ext.unwrap_or("")});
    }
    let mut file = serde_json::json!({"sign": sign});
    if let Some(ext) = ext {
        file["ext"] = ext.into();
    }
    if let Some(name) = name {
        file["filename"] = name.into();
    }
    serde_json::json!({"rtm": file, "custom": ""})
}

fn field<'q>(fields: &'q Value, name: &str) -> &'q Value {
    let mut entries = fields.as_map().unwrap().iter();
    &entries
        .find(|(key, _)| key.as_str() == Some(name))
        .unwrap()
        .1
}

fn check(method: &Method, to: Recipient, recipient: (&str, Value), sent: Sent, time: Option<i64>) {
    let (project, sender, mtype, content, name, mid, token, is_current) = sent;
    let signature = match is_current {
        true => FileSignature::Current,
        false => FileSignature::Seed,
    };
    let config = Config::new(project, UserId(sender), "t").file_signature(signature);
    let config = config.gate("tcp://gate:1".parse().unwrap());
    let mut file =
        SendFile::new(to, MessageType(mtype), content.clone()).message_id(MessageId(mid));
    if let Some(name) = &name {
        file = file.name(name.as_str());
    }
    let quest = upload(config, &file, &token);

    // JSON may order its keys in any way, so the text itself is not compared.
    let written = rmpv::decode::read_value(&mut &quest.payload.as_bytes()[..]).unwrap();
    let text = field(&written, "attrs").as_str().unwrap();
    let parsed: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(parsed, attrs(&content, name.as_deref(), &token, is_current));

    method.sends(
        &quest,
        &[
            ("pid", project.into()),
            ("from", sender.into()),
            recipient,
            ("mid", mid.into()),
            ("mtype", mtype.into()),
            ("token", token.into()),
            ("attrs", text.into()),
            ("file", Value::Binary(content)),
        ],
    );

    let mut context = Context::default();
    context.message_id = MessageId(mid);
    let answer = given([("mtime", time.map(Value::from))]);
    let view = |receipt: Receipt| (receipt.message_id.0, receipt.time_ms);
    method.reads_in(&context, &file, &answer, view, &(mid, time));
}

methods! {
    "filetoken" => permission_is_asked_for |method| (
        command in prop_oneof![
            Just("sendfile".into()), Just("sendgroupfile".into()), Just("sendroomfile".into()),
            Just("sendfiles".into()), Just("uploadfile".into()), text(),
        ],
        user in of(id()), users in of(ids()), group in of(id()), room in of(id()),
        token in text(), endpoint in text(),
    ) {
        let mut request = GetFileToken::new(command.as_str());
        if let Some(user) = user {
            request = request.to_user(user);
        }
        if let Some(users) = &users {
            request = request.to_users(users.clone());
        }
        if let Some(group) = group {
            request = request.to_group(group);
        }
        if let Some(room) = room {
            request = request.to_room(room);
        }
        method.writes(&request, &given([
            ("cmd", Some(command.into())),
            ("to", user.map(Value::from)),
            ("tos", users.map(|users| list(&users))),
            ("gid", group.map(Value::from)),
            ("rid", room.map(Value::from)),
        ]));
        let answer = [("token", token.as_str().into()), ("endpoint", endpoint.as_str().into())];
        let view = |got: FileToken| (got.token.expose().to_owned(), got.endpoint);
        method.reads(&request, &["token", "endpoint"], &answer, view, &(token, endpoint));
    }

    "sendfile" => files_to_users |method| (to in id(), sent in sent(), time in of(id())) {
        check(&method, UserId(to).into(), ("to", to.into()), sent, time);
    }

    "sendgroupfile" => files_to_groups |method| (to in id(), sent in sent(), time in of(id())) {
        check(&method, GroupId(to).into(), ("gid", to.into()), sent, time);
    }

    "sendroomfile" => files_to_rooms |method| (to in id(), sent in sent(), time in of(id())) {
        check(&method, RoomId(to).into(), ("rid", to.into()), sent, time);
    }
}
