//! Typed results in the form of the records.

use std::collections::BTreeMap;

use rtm_proto::api::{
    Conversations, FileToken, FilteredText, HistoryPage, HistoryRecord, Info, StoredMessage, Unread,
};
use rtm_proto::{Body, Conversation, Translation, UserId};

use super::setup::USER;
use crate::value::Value;

fn ids<T: Into<i64>>(ids: impl IntoIterator<Item = T>) -> Value {
    ids.into_iter().map(Into::<i64>::into).collect()
}

fn bytes(body: &Body) -> Value {
    Value::Bytes(body.as_bytes().to_vec())
}

pub(super) fn datum(value: Option<String>) -> Value {
    match value {
        Some(text) => Value::map([("val", Value::Text(text))]),
        None => Value::map([]),
    }
}

pub(super) fn info(info: Info) -> Value {
    Value::map([
        ("oinfo", Value::Text(info.public_info)),
        ("pinfo", Value::Text(info.private_info)),
    ])
}

pub(super) fn public_info(text: String) -> Value {
    Value::map([("oinfo", Value::Text(text))])
}

pub(super) fn public_infos(infos: BTreeMap<UserId, String>) -> Value {
    let entries = infos.into_iter();
    let entries = entries.map(|(id, text)| (Value::Text(id.to_string()), Value::Text(text)));
    Value::map([("info", Value::Map(entries.collect()))])
}

pub(super) fn unread(unread: Unread) -> Value {
    Value::map([("p2p", ids(unread.peers)), ("group", ids(unread.groups))])
}

pub(super) fn conversations(known: Conversations) -> Value {
    let peers = known.peers.into_iter().map(|peer| peer.id);
    let groups = known.groups.into_iter().map(|group| group.id);
    Value::map([("p2p", ids(peers)), ("group", ids(groups))])
}

pub(super) fn file_token(answer: FileToken) -> Value {
    Value::map([
        ("token", answer.token.expose().into()),
        ("endpoint", answer.endpoint.as_str().into()),
    ])
}

pub(super) fn filtered(answer: FilteredText) -> Value {
    let classes = answer.classification.into_iter().map(Value::Text);
    Value::map([
        ("text", Value::Text(answer.text)),
        ("classification", Value::List(classes.collect())),
    ])
}

pub(super) fn translation(answer: Translation) -> Value {
    Value::map([
        ("source", Value::Text(answer.source_language)),
        ("target", Value::Text(answer.target_language)),
        ("sourceText", Value::Text(answer.source_text)),
        ("targetText", Value::Text(answer.target_text)),
    ])
}

pub(super) fn stored(message: StoredMessage) -> Value {
    Value::map([
        ("id", message.cursor.into()),
        ("mtype", i64::from(message.message_type.0).into()),
        ("msg", bytes(&message.body)),
        ("binary", bytes(&message.body)),
        ("attrs", Value::Text(message.attrs)),
        ("mtime", message.time_ms.into()),
    ])
}

pub(super) fn page(page: HistoryPage) -> Value {
    Value::map([
        ("num", i64::from(page.count).into()),
        ("lastid", page.cursor.into()),
        ("begin", page.since_ms.into()),
        ("end", page.until_ms.into()),
        ("msgs", page.records.into_iter().map(record).collect()),
    ])
}

fn record(record: HistoryRecord) -> Value {
    let origin = match record.conversation {
        // The judge's peer is never the judge's own user.
        Conversation::P2p => {
            let received = record.recipient == Some(UserId(USER));
            ("direction", i64::from(received) + 1)
        }
        _ => ("from", record.sender.get()),
    };
    Value::map([
        ("id", record.cursor.into()),
        (origin.0, origin.1.into()),
        ("mtype", i64::from(record.message_type.0).into()),
        ("mid", record.message_id.get().into()),
        ("deleted", record.deleted.into()),
        ("msg", bytes(&record.body)),
        ("binary", bytes(&record.body)),
        ("attrs", Value::Text(record.attrs)),
        ("mtime", record.time_ms.into()),
    ])
}
