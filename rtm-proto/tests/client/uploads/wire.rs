//! The bytes of files: recorded quests of the JavaScript SDK, both signatures,
//! the proxy.

use rmpv::Value;
use rtm_proto::Client;
use rtm_proto::frame::{Decoder, Frame};

use super::*;
use crate::support::{START, UNIX};

const RECORDS: &str = include_str!("../../../../tests/vectors/client-frames.json");

fn int(value: &Json) -> Option<i64> {
    value["int64"]
        .as_str()
        .map(|digits| digits.parse().unwrap())
        .or(value.as_i64())
}

fn from_hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn content_of(file: &Json) -> Vec<u8> {
    match file["hex"].as_str() {
        Some(hex) => from_hex(hex),
        None => {
            let byte = from_hex(file["repeat_byte_hex"].as_str().unwrap())[0];
            vec![byte; file["count"].as_u64().unwrap() as usize]
        }
    }
}

/// The request that a record's arguments ask for.
fn request_of(args: &Json) -> SendFile {
    let file = &args["file"]["file"];
    let kind = MessageType(u8::try_from(int(&args["mtype"]).unwrap()).unwrap());
    let content = content_of(file);
    let request = match (int(&args["to"]), int(&args["gid"]), int(&args["rid"])) {
        (Some(to), ..) => SendFile::new(UserId(to), kind, content),
        (_, Some(gid), _) => SendFile::new(GroupId(gid), kind, content),
        (.., rid) => SendFile::new(RoomId(rid.unwrap()), kind, content),
    };
    let id = int(&args["mid"]).unwrap_or_default();
    request
        .name(file["name"].as_str().unwrap())
        .message_id(MessageId(id))
}

/// A recorded value, which may say how it was written.
fn value_of(json: &Json) -> Value {
    if let Some(digits) = json["int"].as_str() {
        digits.parse::<i64>().unwrap().into()
    } else if let Some(hex) = json["bin"].as_str() {
        Value::Binary(from_hex(hex))
    } else {
        json.as_str().unwrap().into()
    }
}

fn json_of(value: &Value) -> Json {
    serde_json::from_str(value.as_str().unwrap()).unwrap()
}

fn check(asked: &Asked, record: &Json) {
    let id = record["id"].as_str().unwrap();
    assert_eq!(asked.method, record["method"].as_str().unwrap(), "{id}");
    let whole = record["payload_big"] != true;
    let payload = if whole {
        &record["payload"]
    } else {
        &record["payload_without_file"]
    };
    let payload = payload.as_object().unwrap();
    let fields = asked.body.as_map().unwrap().len() - usize::from(!whole);
    assert_eq!(fields, payload.len(), "{id}");
    for (key, expected) in payload {
        let got = asked.field(key).unwrap_or_else(|| panic!("{id}: no {key}"));
        let expected = value_of(expected);
        match key.as_str() {
            "attrs" => {
                let mut expected = json_of(&expected);
                if expected["ext"].is_null() {
                    // A text, as gates want it, where the SDK wrote null.
                    expected["ext"] = "".into();
                }
                assert_eq!(json_of(got), expected, "{id}");
            }
            // Generated ones follow other rules.
            "mid" if record["args"].get("mid").is_none() => assert!(got.as_i64() > Some(0)),
            _ => assert_eq!(*got, expected, "{id}: {key}"),
        }
    }
}

#[test]
fn files_go_out_as_the_javascript_sdk_sends_them() {
    let records: Vec<Json> = serde_json::from_str(RECORDS).unwrap();
    let mut checked = 0;
    for record in records.iter().filter(|record| record["kind"] == "file") {
        let mut world = world(vec![vec![taken()]]);
        let token = Act::Answer(map(&[
            ("token", "79E2B4D6A1F3".into()),
            ("endpoint", "files:1".into()),
        ]));
        world.set_node("gate", Node::new(move |_| vec![token.clone()]));
        world.call(&request_of(&record["args"]));
        world.run_for(ms(0));
        let node = match record["conn"].as_str().unwrap() {
            "gate" => "gate",
            _ => "files",
        };
        let asked = world.log.quests.iter().rfind(|asked| asked.node == node);
        check(asked.unwrap(), record);
        checked += 1;
    }
    assert_eq!(checked, 12);
}

/// The attributes of a file `hello` with the token `TOKEN`.
fn attrs_with(signature: FileSignature, request: SendFile) -> Json {
    let settings = config().file_signature(signature);
    let mut world = world_of(settings, files(vec![vec![taken()]]));
    let token = Act::Answer(map(&[
        ("token", "TOKEN".into()),
        ("endpoint", "files:1".into()),
    ]));
    world.set_node("gate", Node::new(move |_| vec![token.clone()]));
    world.call(&request);
    world.run_for(ms(0));
    json_of(asked(&world, "sendfile")[0].field("attrs").unwrap())
}

#[test]
fn the_signature_setting_decides_about_hash_and_attributes() {
    let hello = || SendFile::new(UserId(1), MessageType::FILE, &b"hello"[..]);
    let upper = "41A6D28874203C475362A74B45677CB4";
    let lower = "efbbfb6ee28aded63a1c810239aa36b0";
    assert_eq!(
        attrs_with(FileSignature::Seed, hello().name("a.tar.gz")),
        serde_json::json!({"sign": upper, "ext": "gz"})
    );
    assert_eq!(
        attrs_with(FileSignature::Seed, hello()),
        serde_json::json!({"sign": upper, "ext": ""})
    );
    assert_eq!(
        attrs_with(FileSignature::Current, hello().name("a.png").attrs("mine")),
        serde_json::json!({
            "rtm": {"sign": lower, "ext": "png", "filename": "a.png"},
            "custom": "mine",
        })
    );
    assert_eq!(
        attrs_with(FileSignature::Current, hello()),
        serde_json::json!({"rtm": {"sign": lower}, "custom": ""})
    );
}

/// The connection asked for last, and its host.
fn connects(client: &mut Client) -> Option<(ConnId, String)> {
    let mut found = None;
    loop {
        match client.poll_output() {
            rtm_proto::Output::Connect { conn, host, .. } => found = Some((conn, host)),
            rtm_proto::Output::Wait { .. } => return found,
            _ => {}
        }
    }
}

/// The target and the method of the wrapped quest that `conn` sends.
fn unwrap(client: &mut Client, conn: ConnId) -> (String, String) {
    let mut bytes = Vec::new();
    while let Some(piece) = client.poll_transmit(conn) {
        bytes.extend_from_slice(&piece);
    }
    let wrapped = rmpv::decode::read_value(&mut &bytes[..]).unwrap();
    let wrapped = wrapped.as_map().unwrap();
    let target = wrapped[0].1.as_str().unwrap().to_owned();
    let mut decoder = Decoder::new(1 << 20);
    decoder.push(wrapped[1].1.as_slice().unwrap().to_vec().into());
    match decoder.next_frame().unwrap() {
        Some(Frame::Quest(quest)) => (target, quest.method().to_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn through_a_proxy_the_file_names_the_real_file_gate() {
    let settings = config()
        .ssl(true)
        .proxy_endpoint(endpoint("tcp://proxy:9"))
        .gate(endpoint("tcp://gate:1"));
    let mut client = Client::new(settings, 1, START, UNIX);
    client.login(START);
    let (gate, _) = connects(&mut client).unwrap();
    client.handle_input(START, Input::Connected { conn: gate });
    assert_eq!(unwrap(&mut client, gate).1, "auth");
    let ok = answer(1, &map(&[("ok", true.into())]));
    client.handle_input(START, crate::support::received(gate, ok));
    let options = RequestOptions::default();
    client.request(START, &file(), options).unwrap();
    let expected = ("gate:1".to_owned(), "filetoken".to_owned());
    assert_eq!(unwrap(&mut client, gate), expected);
    let token = map(&[("token", "T".into()), ("endpoint", "files:7".into())]);
    client.handle_input(START, crate::support::received(gate, answer(2, &token)));
    let (conn, host) = connects(&mut client).unwrap();
    assert_eq!(host, "proxy");
    client.handle_input(START, Input::Connected { conn });
    let expected = ("files:7".to_owned(), "sendfile".to_owned());
    assert_eq!(unwrap(&mut client, conn), expected);
    // What comes back is not wrapped.
    client.handle_input(START, crate::support::received(conn, answer(1, &map(&[]))));
    assert_eq!(client.in_flight(), 0);
    let mut told = None;
    loop {
        match client.poll_output() {
            rtm_proto::Output::Answer { result, .. } => assert!(result.is_ok()),
            rtm_proto::Output::Event(Event::UploadProgress { sent, .. }) => told = Some(sent),
            rtm_proto::Output::Wait { .. } => break,
            _ => {}
        }
    }
    assert_eq!(told, Some(SIZE as u64));
}
