//! What another client sends: every frame of the JavaScript SDK in `tests/vectors/client-frames.json`, byte for byte
//! but for the number, and the same quests written in other ways.

use crate::peer::{Peer, Via, field, map, msgpack, quest};
use crate::probes_tcp::unhex;
use rmpv::Value;
use rtm_gate::Gate;
use serde_json::Value as Json;

/// The login that the frames were recorded with.
const UID: i64 = 654_321;
const TOKEN: &str = "5C65CD872903AAB37211EC468B4A1364";
/// A number that the client itself does not use.
const SEQ: u32 = 77_777;

/// The records of these kinds whose frames are there in full.
fn records(kind: &str) -> Vec<Json> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/client-frames.json");
    let text = std::fs::read_to_string(path).unwrap();
    let records: Vec<Json> = serde_json::from_str(&text).unwrap();
    let wanted = records
        .into_iter()
        .filter(|record| record["kind"] == kind && record["frame_hex"].is_string());
    let wanted = wanted.collect::<Vec<_>>();
    assert!(!wanted.is_empty());
    wanted
}

/// The frame with our number in it, and the payload that it carries.
fn frame(record: &Json) -> (Vec<u8>, Value) {
    let mut bytes = unhex(record["frame_hex"].as_str().unwrap());
    bytes[12..16].copy_from_slice(&SEQ.to_le_bytes());
    let start = 16 + usize::from(bytes[7]);
    let payload = rmpv::decode::read_value(&mut &bytes[start..]).unwrap();
    (bytes, payload)
}

fn gate() -> Gate {
    let users = Gate::builder().user(UID, TOKEN).user(-1, TOKEN);
    users.start().unwrap()
}

/// A logged-in client that is a member of the group, and in the room, that the quest names.
fn client(gate: &Gate, payload: &Value) -> Peer {
    let mut peer = Peer::login(gate, Via::Ws, UID);
    if let Some(gid) = field(payload, "gid").as_i64() {
        gate.add_to_group(gid, UID);
    }
    if let Some(rid) = field(payload, "rid").as_i64() {
        assert_eq!(peer.code("enterroom", &[("rid", rid.into())]), 0);
    }
    // Messages that are asked for by id are those of a room or group, too.
    match (
        field(payload, "type").as_i64(),
        field(payload, "xid").as_i64(),
    ) {
        (Some(2), Some(gid)) => gate.add_to_group(gid, UID),
        (Some(3), Some(rid)) => {
            assert_eq!(peer.code("enterroom", &[("rid", rid.into())]), 0);
        }
        _ => {}
    }
    peer
}

/// What the rules of RTM say about this quest in a service where nothing has happened yet.
fn expected_code(method: &str, payload: &Value) -> i64 {
    let number = |key| field(payload, key).as_i64();
    let text_len = |key| field(payload, key).as_str().map_or(0, str::len);
    let list_code = |key, most| match field(payload, key).as_array().map_or(0, Vec::len) {
        0 => 200033,
        len if len > most => 200032,
        _ => 0,
    };
    match method {
        // The SDK writes nil for attributes that were left out, but they are required.
        "sendmsg" | "sendgroupmsg" | "sendroommsg" if field(payload, "attrs") == Value::Nil => {
            10009
        }
        "sendmsg" | "sendgroupmsg" | "sendroommsg" => match number("mtype") {
            Some(1..=127) if text_len("msg") > 20_480 || text_len("attrs") > 2_048 => 200030,
            Some(1..=127) if number("to") == Some(UID) => 200052,
            Some(1..=127) => 0,
            _ => 200005,
        },
        "getmsg" | "delmsg" => 200070,
        "addfriends" | "delfriends" => list_code("friends", 100),
        "getuseropeninfo" | "addgroupmembers" | "delgroupmembers" => list_code("uids", 100),
        "getonlineusers" => list_code("uids", 200),
        "kickout" => 200034,
        "dataset" | "dataget" | "datadel" if text_len("key") == 0 => 200033,
        "dataset" if field(payload, "val") == Value::Nil => 10009,
        "translate" if text_len("text") == 0 => 200051,
        _ => 0,
    }
}

/// The fields that an answer must have.
fn result_fields(method: &str) -> &'static [&'static str] {
    match method {
        "sendmsg" | "sendgroupmsg" | "sendroommsg" => &["mtime"],
        "getunread" | "getsession" => &["p2p", "group"],
        "getgroupmsg" | "getroommsg" | "getbroadcastmsg" | "getp2pmsg" => {
            &["num", "lastid", "begin", "end", "msgs"]
        }
        "filetoken" => &["token", "endpoint"],
        "translate" => &["source", "target", "sourceText", "targetText"],
        "profanity" => &["text"],
        "getfriends" | "getgroupmembers" | "getonlineusers" => &["uids"],
        "getusergroups" => &["gids"],
        "getuserrooms" => &["rooms"],
        "getuserinfo" | "getgroupinfo" | "getroominfo" => &["oinfo", "pinfo"],
        "getgroupopeninfo" | "getroomopeninfo" => &["oinfo"],
        "getuseropeninfo" => &["info"],
        "getattrs" => &["attrs"],
        _ => &[],
    }
}

/// An answer without what differs from one run to the next, and without the order of its fields.
fn lasting(payload: Value) -> Value {
    match payload {
        Value::Map(pairs) => {
            let volatile = ["mtime", "token", "ce", "login", "endpoint", "ex"];
            let lasts = |key: &Value| volatile.iter().all(|name| key.as_str() != Some(name));
            let pairs = pairs.into_iter().filter(|(key, _)| lasts(key));
            let mut pairs = pairs.map(|(k, v)| (k, lasting(v))).collect::<Vec<_>>();
            pairs.sort_by_key(|(key, _)| key.to_string());
            Value::Map(pairs)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(lasting).collect()),
        other => other,
    }
}

#[test]
fn every_recorded_call_gets_the_answer_that_the_rules_demand() {
    for record in records("call") {
        let (id, method) = (&record["id"], record["method"].as_str().unwrap());
        let (bytes, payload) = frame(&record);
        let gate = gate();
        let mut peer = client(&gate, &payload);
        peer.send_package(&bytes);
        let answer = peer.answer_to(SEQ);
        assert_eq!(
            answer.code(),
            expected_code(method, &payload),
            "{id} {answer:?}"
        );
        if answer.ss == 0 {
            for name in result_fields(method) {
                assert_ne!(field(&answer.payload, name), Value::Nil, "{id} {name}");
            }
        }
    }
}

/// Everything as wide as msgpack allows.
fn wide(value: &Value) -> Vec<u8> {
    let with_len = |marker: u8, len: usize| {
        let mut out = vec![marker];
        out.extend((len as u32).to_be_bytes());
        out
    };
    match value {
        Value::Integer(number) => {
            let mut out = vec![0xd3];
            out.extend(number.as_i64().unwrap().to_be_bytes());
            out
        }
        Value::String(text) => [
            with_len(0xdb, text.as_bytes().len()),
            text.as_bytes().to_vec(),
        ]
        .concat(),
        Value::Binary(bytes) => [with_len(0xc6, bytes.len()), bytes.clone()].concat(),
        Value::Array(items) => {
            let items = items.iter().flat_map(wide);
            with_len(0xdd, len_of(value))
                .into_iter()
                .chain(items)
                .collect()
        }
        Value::Map(pairs) => {
            let pairs = pairs.iter().flat_map(|(k, v)| [wide(k), wide(v)].concat());
            with_len(0xdf, len_of(value))
                .into_iter()
                .chain(pairs)
                .collect()
        }
        other => msgpack(other),
    }
}

fn len_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Map(pairs) => pairs.len(),
        _ => 0,
    }
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Map(pairs) => {
            let pairs = pairs.iter().rev();
            Value::Map(pairs.map(|(k, v)| (k.clone(), reversed(v))).collect())
        }
        other => other.clone(),
    }
}

/// As JSON; `None` when the value holds bytes.
fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Nil => Json::Null,
        Value::Boolean(flag) => (*flag).into(),
        Value::Integer(number) => number.as_i64()?.into(),
        Value::F32(number) => f64::from(*number).into(),
        Value::F64(number) => (*number).into(),
        Value::String(text) => text.as_str()?.into(),
        Value::Array(items) => items.iter().map(json).collect::<Option<_>>()?,
        Value::Map(pairs) => {
            let pairs = pairs.iter();
            let fields = pairs.map(|(key, value)| Some((key.as_str()?.to_owned(), json(value)?)));
            Json::Object(fields.collect::<Option<_>>()?)
        }
        Value::Binary(_) | Value::Ext(..) => return None,
    })
}

#[test]
fn other_spellings_of_the_same_quest_get_the_same_answer() {
    for record in records("call") {
        let (id, method) = (&record["id"], record["method"].as_str().unwrap());
        let (bytes, payload) = frame(&record);
        let mut spellings = vec![
            (0x80, bytes),
            (0x80, quest(0x80, Some(SEQ), method, &wide(&payload))),
            (
                0x80,
                quest(0x80, Some(SEQ), method, &msgpack(&reversed(&payload))),
            ),
        ];
        if let Some(json) = json(&payload) {
            let text = json.to_string().into_bytes();
            spellings.push((0x40, quest(0x40, Some(SEQ), method, &text)));
        }
        let answers = spellings.iter().map(|(flag, bytes)| {
            let gate = gate();
            let mut peer = client(&gate, &payload);
            peer.send_package(bytes);
            let answer = peer.answer_to(SEQ);
            assert_eq!(answer.flag, *flag, "{id}");
            (answer.ss, lasting(answer.payload))
        });
        let answers = answers.collect::<Vec<_>>();
        for (number, answer) in answers.iter().enumerate() {
            assert_eq!(*answer, answers[0], "{id}, spelling {number}");
        }
    }
}

#[test]
fn recorded_logins_are_judged_by_project_user_and_token() {
    let gate = gate();
    for record in records("auth") {
        let (bytes, payload) = frame(&record);
        let mut peer = Peer::connect(&gate, Via::Ws);
        peer.send_package(&bytes);
        let answer = peer.answer_to(SEQ);
        let project = field(&payload, "pid").as_f64();
        if project == Some(f64::from(gate.project_id())) {
            let right = field(&payload, "token").as_str() == Some(TOKEN);
            assert_eq!(
                answer.payload,
                map(&[("ok", right.into())]),
                "{}",
                record["id"]
            );
        } else {
            assert_eq!(answer.code(), 200001, "{}", record["id"]);
        }
    }
}

#[test]
fn recorded_lookups_get_the_endpoint() {
    let gate = gate();
    for record in records("which") {
        let mut peer = Peer::connect(&gate, Via::Ws);
        peer.send_package(&frame(&record).0);
        let endpoint = field(&peer.answer_to(SEQ).payload, "endpoint");
        assert_eq!(
            endpoint.as_str().unwrap(),
            gate.gate().ws.replace("ws://", "")
        );
    }
}

#[test]
fn a_recorded_session_goes_through() {
    let gate = gate();
    let mut peer = Peer::connect(&gate, Via::Ws);
    for record in records("sequence") {
        peer.send_package(&unhex(record["frame_hex"].as_str().unwrap()));
        let seq = u32::try_from(record["header"]["seq"].as_u64().unwrap()).unwrap();
        assert_eq!(peer.answer_to(seq).code(), 0, "{}", record["id"]);
    }
}
