//! What fields hold: the usual, the extreme and the empty.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use rmpv::Value;
use rtm_proto::Body;

/// Where integers change their form on the wire, or their meaning in Rust.
const EDGES: [i64; 20] = [
    i64::MIN,
    i64::MIN + 1,
    -(1 << 31) - 1,
    -(1 << 31),
    -32_769,
    -32_768,
    -129,
    -128,
    -33,
    -32,
    -1,
    0,
    127,
    128,
    255,
    65_536,
    (1 << 32) - 1,
    1 << 32,
    (1 << 53) + 1,
    i64::MAX,
];

pub(super) fn id() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), select(&EDGES[..]), -200..400_i64]
}

pub(super) fn ids() -> impl Strategy<Value = Vec<i64>> {
    vec(id(), 0..20)
}

/// Any characters, and the lengths around which the form changes.
pub(super) fn text() -> impl Strategy<Value = String> {
    let repeated = select(&[0_usize, 31, 32, 255, 256, 65_535, 65_536][..]);
    prop_oneof![
        10 => vec(any::<char>(), 0..40).prop_map(|chars| chars.into_iter().collect()),
        2 => "[a-z0-9 ]{0,40}",
        1 => repeated.prop_map(|length| "x".repeat(length)),
    ]
}

pub(super) fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..6)
}

pub(super) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let repeated = select(&[0_usize, 255, 256, 65_535, 65_536][..]);
    prop_oneof![
        6 => vec(any::<u8>(), 0..300),
        1 => repeated.prop_map(|length| vec![0xff; length]),
    ]
}

/// A text that is read leniently: what arrives, and what it reads as.
pub(super) fn lenient() -> impl Strategy<Value = (Value, String)> {
    prop_oneof![
        4 => text().prop_map(|text| (text.as_str().into(), text)),
        1 => bytes().prop_map(|bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            (Value::Binary(bytes), text)
        }),
    ]
}

/// What a message says: as a body, and on the wire.
pub(super) fn body() -> impl Strategy<Value = (Body, Value)> {
    prop_oneof![
        text().prop_map(|text| (Body::from(text.as_str()), text.into())),
        bytes().prop_map(|bytes| (Body::from(bytes.clone()), Value::Binary(bytes))),
    ]
}

/// Source and target language, original and translation.
pub(super) type Texts = (String, String, String, String);

/// What a message that was kept or pushed says, and what that reads as.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) wire: Value,
    pub(super) body: Body,
    pub(super) translation: Option<Texts>,
}

pub(super) fn said() -> impl Strategy<Value = Said> {
    let plain = body().prop_map(|(body, wire)| Said {
        wire,
        body,
        translation: None,
    });
    let part = || proptest::option::of(lenient());
    let translated = (part(), part(), part(), part()).prop_map(|(from, to, original, result)| {
        let parts = [
            ("source", &from),
            ("target", &to),
            ("sourceText", &original),
            ("targetText", &result),
        ];
        let sent = parts.iter().filter_map(|(name, part)| {
            let (wire, _) = part.as_ref()?;
            Some(((*name).into(), wire.clone()))
        });
        let wire = Value::Map(sent.collect());
        let [from, to, original, result] =
            [from, to, original, result].map(|part| part.unwrap_or((Value::Nil, "".into())).1);
        let shown = if result.is_empty() {
            &original
        } else {
            &result
        };
        Said {
            wire,
            body: Body::from(shown.as_str()),
            translation: Some((from, to, original, result)),
        }
    });
    prop_oneof![3 => plain, 1 => translated]
}

pub(super) fn list<T: Into<Value> + Clone>(items: &[T]) -> Value {
    Value::Array(items.iter().cloned().map(Into::into).collect())
}

pub(super) fn text_map(pairs: &BTreeMap<String, String>) -> Value {
    let pairs = pairs.iter();
    let entries = pairs.map(|(k, v)| (k.as_str().into(), v.as_str().into()));
    Value::Map(entries.collect())
}

/// The fields that are there.
pub(super) fn given<const N: usize>(fields: [(&str, Option<Value>); N]) -> Vec<(&str, Value)> {
    let fields = fields.into_iter();
    fields
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
