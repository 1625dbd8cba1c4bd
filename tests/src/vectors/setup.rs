//! Clients as the judging rules want them, and the servers they talk to.

use std::time::Duration;

use rmpv::Value as Packed;
use rtm_proto::handle::Builder;
use rtm_proto::{Backoff, FileSignature};

use super::record::Record;
use super::server::Step;
use super::subject::Subject;
use crate::package::{self, Package, TWO_WAY};
use crate::value::Value;

/// Who the records log in as unless they say otherwise.
pub(crate) const PROJECT: u32 = 1_000_012;
/// See [`PROJECT`].
pub(crate) const USER: i64 = 654_321;
/// See [`PROJECT`].
pub(crate) const TOKEN: &str = "5C65CD872903AAB37211EC468B4A1364";

/// A builder set to the seed's behaviour, for the user of the records.
pub(crate) fn builder<S: Subject>() -> Builder<S::Start> {
    seeded(Builder::new(PROJECT, USER, TOKEN))
}

/// The same for the user that `options` of a record names.
///
/// # Errors
///
/// A text that names the option that cannot be used.
pub(crate) fn builder_of<S: Subject>(record: &Record) -> Result<Builder<S::Start>, String> {
    let options = record.value("options")?.unwrap_or(Value::Nil);
    let int = |key: &str| options.get(key).and_then(Value::as_int);
    let text = |key: &str| options.get(key).and_then(Value::as_text);
    let project = u32::try_from(int("pid").unwrap_or(PROJECT.into()));
    let user = i64::try_from(int("uid").unwrap_or(USER.into()));
    let mut builder = seeded(Builder::new(
        project.map_err(|e| format!("pid: {e}"))?,
        user.map_err(|e| format!("uid: {e}"))?,
        text("token").unwrap_or(TOKEN),
    ));
    if let Some(version) = text("version") {
        builder = builder.version(version);
    }
    if let Some(Value::Map(attributes)) = options.get("attrs") {
        let pair = |(key, value): &(Value, Value)| {
            Some((key.as_text()?.to_owned(), value.as_text()?.to_owned()))
        };
        let pairs: Option<Vec<_>> = attributes.iter().map(pair).collect();
        builder = builder.attributes(pairs.ok_or("attrs: not all of it is text")?);
    }
    Ok(builder.ipv6(record.flag("ipv6")))
}

fn seeded<S: rtm_proto::handle::Start>(builder: Builder<S>) -> Builder<S> {
    builder
        .backoff(Backoff::fixed(Duration::from_millis(100)))
        .duplicate_lifetime(Duration::from_secs(5))
        .check_arguments(false)
        .file_signature(FileSignature::Seed)
}

/// A msgpack map.
pub(crate) fn packed<const N: usize>(fields: [(&str, Packed); N]) -> Packed {
    Packed::Map(
        fields
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect(),
    )
}

/// A successful answer to `quest`, if it wants one.
pub(crate) fn answer(quest: &Package, body: &Packed) -> Vec<Step> {
    answer_with(quest, 0, body)
}

/// An error answer to `quest`, if it wants one.
pub(crate) fn refuse(quest: &Package) -> Vec<Step> {
    let body = packed([("code", 200_010.into()), ("ex", "enough was seen".into())]);
    answer_with(quest, 1, &body)
}

/// The answer of a gate that lets everybody in.
pub(crate) fn welcome(auth: &Package) -> Vec<Step> {
    answer(auth, &packed([("ok", true.into())]))
}

fn answer_with(quest: &Package, status: u8, body: &Packed) -> Vec<Step> {
    match quest.seq {
        Some(seq) if quest.mtype == TWO_WAY => {
            vec![Step::Message(package::answer(seq, status, body))]
        }
        _ => Vec::new(),
    }
}
