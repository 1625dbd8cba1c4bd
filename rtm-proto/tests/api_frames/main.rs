//! Typed requests encode to what the JavaScript SDK sends, and typed responses
//! hold what it reports, for every recorded call.

mod records;
mod typed;

use std::collections::BTreeSet;

use bytes::Bytes;
use rmpv::Value;
use rtm_proto::api::METHODS;
use rtm_proto::frame::{Decoder, Frame};
use rtm_proto::payload::Payload;
use serde_json::Value as Json;

use records::{Args, hex, map, notation, records};
use typed::{Call, typed};

/// Part of the client itself.
const NO_REQUEST: [&str; 1] = ["close"];

fn text<'r>(record: &'r Json, key: &str) -> &'r str {
    record[key].as_str().unwrap()
}

fn recorded(record: &Json) -> Option<Box<dyn Call>> {
    let sdk_method = text(record, "sdk_method");
    let call = typed(sdk_method, &Args(&record["args"]));
    assert_eq!(
        call.is_none(),
        NO_REQUEST.contains(&sdk_method),
        "{sdk_method}"
    );
    call
}

/// What a request encodes to, sorted by key.
fn sent(call: &dyn Call) -> Vec<(Value, Value)> {
    let bytes = call.encode();
    let mut rest = &bytes[..];
    let value = rmpv::decode::read_value(&mut rest).unwrap();
    assert!(rest.is_empty());
    let Value::Map(mut entries) = value else {
        panic!("{value}");
    };
    entries.sort_by_key(|(key, _)| key.to_string());
    entries
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.as_bytes().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A recorded nil stands for an absent key or an empty value.
fn expected(record: &Json, sent: &mut Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    let payload = match record.get("expect_payload") {
        Some(payload) => payload,
        None => &record["payload"],
    };
    let Value::Map(mut entries) = notation(payload) else {
        panic!("{payload}");
    };
    let nils = entries.iter().filter(|(_, value)| value.is_nil());
    let nils: Vec<Value> = nils.map(|(key, _)| key.clone()).collect();
    sent.retain(|(key, value)| !(nils.contains(key) && is_empty(value)));
    entries.retain(|(key, _)| !nils.contains(key));
    entries
}

/// Calls with bodies too long to be recorded: what was recorded is the length
/// of the payload, with user ids always in 9 bytes.
fn check_long(record: &Json, call: &dyn Call) {
    let sent = sent(call);
    let args = &record["args"];
    let text = |name| Value::from(Args(args).text(name));
    let whole = map([
        ("to", notation(&args["to"])),
        ("mid", notation(&args["mid"])),
        ("mtype", notation(&args["mtype"])),
        ("msg", text("msg")),
        ("attrs", text("attrs")),
    ]);
    assert_eq!(Value::Map(sent), whole, "{}", record["id"]);
    let recorded = record["header"]["psize"].as_u64().unwrap();
    let saved = 9 - 5;
    assert_eq!(
        call.encode().len() as u64 + saved,
        recorded,
        "{}",
        record["id"]
    );
}

#[test]
fn every_recorded_call_is_sent_as_recorded() {
    let mut checked = 0;
    for record in records("client-frames.json") {
        let file_token = record["kind"] == "file" && record["method"] == "filetoken";
        if record["kind"] != "call" && !file_token {
            continue;
        }
        let Some(call) = recorded(&record) else {
            continue;
        };
        assert_eq!(call.method(), text(&record, "method"), "{}", record["id"]);
        checked += 1;
        if record["payload_big"] == true {
            check_long(&record, &*call);
            continue;
        }
        let mut sent = sent(&*call);
        let expected = expected(&record, &mut sent);
        assert_eq!(sent, expected, "{}", record["id"]);
    }
    assert_eq!(checked, 135);
}

fn answer(record: &Json) -> Payload {
    let mut decoder = Decoder::new(1 << 20);
    for sent in record["server_sends"].as_array().unwrap() {
        decoder.push(Bytes::from(hex(text(sent, "message_hex"))));
    }
    match decoder.next_frame() {
        Ok(Some(Frame::Answer(answer))) => {
            assert_eq!(answer.status, 0);
            answer.payload
        }
        other => panic!("{other:?}"),
    }
}

/// Whether a result holds everything that was recorded. Fields the record does
/// not have are not compared.
fn holds(actual: &Value, recorded: &Value) -> bool {
    match (actual, recorded) {
        (Value::Map(actual), Value::Map(recorded)) => recorded.iter().all(|(key, value)| {
            let found = actual.iter().find(|(name, _)| name == key);
            found.is_some_and(|(_, actual)| holds(actual, value))
        }),
        (Value::Array(actual), Value::Array(recorded)) => {
            let pairs = actual.iter().zip(recorded);
            actual.len() == recorded.len() && pairs.into_iter().all(|(a, r)| holds(a, r))
        }
        (actual, recorded) => actual == recorded,
    }
}

/// The public text comes alone from newer services, so its type holds no
/// private one.
fn holdable(sdk_method: &str, recorded: Value) -> Value {
    match recorded {
        Value::Map(mut entries) if sdk_method.ends_with("OpenInfo") => {
            entries.retain(|(key, _)| key.as_str() != Some("pinfo"));
            Value::Map(entries)
        }
        other => other,
    }
}

#[test]
fn every_recorded_answer_gives_the_recorded_data() {
    let mut checked = 0;
    for record in records("answer-frames.json") {
        if record["kind"] != "ok" {
            continue;
        }
        assert_eq!(record["expect"]["result"], "ok");
        let call = recorded(&record).unwrap();
        let actual = call.decode(answer(&record));
        let recorded = notation(&record["expect"]["data"]);
        let recorded = holdable(text(&record, "sdk_method"), recorded);
        assert!(
            holds(&actual, &recorded),
            "{}:\n{actual}\nis not\n{recorded}",
            record["id"]
        );
        checked += 1;
    }
    assert_eq!(checked, 64);
}

#[test]
fn an_answer_that_lacks_what_was_recorded_is_noticed() {
    let recorded = map([("uids", Value::Array(vec![1.into(), 2.into()]))]);
    assert!(holds(&recorded, &recorded));
    assert!(!holds(
        &map([("uids", Value::Array(vec![1.into()]))]),
        &recorded
    ));
    assert!(!holds(&map([]), &recorded));
}

#[test]
fn every_method_of_a_gate_has_a_request_type() {
    let mut methods = BTreeSet::new();
    for record in records("client-frames.json") {
        if record["kind"] == "call" {
            methods.extend(recorded(&record).map(|call| call.method()));
        }
    }
    // Logging in and out, and what a file gate is asked.
    let own = [
        "which",
        "auth",
        "bye",
        "sendfile",
        "sendgroupfile",
        "sendroomfile",
    ];
    let typed = METHODS.iter().filter(|method| !own.contains(method));
    assert!(methods.iter().eq(typed.copied().collect::<BTreeSet<_>>()));
}
