//! Records of the vector files.

use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;

use super::server::Step;
use crate::value::{Value, unhex};

/// Why a record failed, or nothing.
pub(crate) type Verdict = Result<(), String>;

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Record(Json);

impl Record {
    /// Reads a file; no records if it is missing.
    ///
    /// # Errors
    ///
    /// A text that names the file and what is wrong with it.
    pub(crate) fn read_all(dir: &Path, file: &str) -> Result<Vec<Record>, String> {
        let path = dir.join(file);
        let broken = |why: String| format!("{}: {why}", path.display());
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|error| broken(error.to_string()))?,
        };
        match serde_json::from_str(&text).map_err(|error| broken(error.to_string()))? {
            Json::Array(records) => Ok(records.into_iter().map(Record).collect()),
            _ => Err(broken("not a list of records".into())),
        }
    }

    /// The record's name.
    pub(crate) fn id(&self) -> String {
        self.opt_text("id").unwrap_or("(without id)").to_owned()
    }

    /// A part of the record as a record of its own.
    pub(crate) fn part(&self, key: &str) -> Option<Record> {
        let part = self.json(key)?;
        Some(Record(part.clone()))
    }

    /// The elements of a list in the record.
    pub(crate) fn parts(&self, key: &str) -> Vec<Record> {
        let items = self.json(key).and_then(Json::as_array);
        items.into_iter().flatten().cloned().map(Record).collect()
    }

    /// A field, unless it is missing or null.
    pub(crate) fn json(&self, key: &str) -> Option<&Json> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// A text, if it is there.
    pub(crate) fn opt_text(&self, key: &str) -> Option<&str> {
        self.json(key).and_then(Json::as_str)
    }

    /// A text.
    ///
    /// # Errors
    ///
    /// A text that names the missing field.
    pub(crate) fn text(&self, key: &str) -> Result<&str, String> {
        let text = self.opt_text(key);
        text.ok_or_else(|| format!("the record has no text {key:?}"))
    }

    /// A number, if it is there.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.json(key).and_then(Json::as_u64)
    }

    /// Whether a flag is set.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.json(key).and_then(Json::as_bool).unwrap_or(false)
    }

    /// A time in milliseconds, if it is there.
    pub(crate) fn millis(&self, key: &str) -> Option<Duration> {
        self.number(key).map(Duration::from_millis)
    }

    /// A value in the notation of the records, if it is there.
    ///
    /// # Errors
    ///
    /// As [`Value::from_notation`].
    pub(crate) fn value(&self, key: &str) -> Result<Option<Value>, String> {
        self.json(key).map(Value::from_notation).transpose()
    }

    /// The bytes of a hexadecimal text.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text) and [`unhex`].
    pub(crate) fn hex(&self, key: &str) -> Result<Vec<u8>, String> {
        unhex(self.text(key)?)
    }

    /// The arguments of the call.
    ///
    /// # Errors
    ///
    /// As [`Value::from_notation`].
    pub(crate) fn args(&self) -> Result<Option<Value>, String> {
        self.value("args")
    }

    /// What the server sends and when.
    ///
    /// # Errors
    ///
    /// A text that shows a step nobody knows.
    pub(crate) fn steps(&self) -> Result<Vec<Step>, String> {
        self.parts("server_sends").iter().map(step).collect()
    }
}

fn step(step: &Record) -> Result<Step, String> {
    if step.json("message_hex").is_some() {
        return step.hex("message_hex").map(Step::Message);
    }
    if let Some(parts) = step
        .json("websocket_fragments_hex")
        .and_then(Json::as_array)
    {
        let parts = parts.iter().map(|part| unhex(part.as_str().unwrap_or("-")));
        return parts.collect::<Result<_, _>>().map(Step::Fragments);
    }
    if let Some(span) = step.millis("wait_ms") {
        return Ok(Step::Wait(span));
    }
    if let Some(code) = step.number("close_code") {
        let code = u16::try_from(code).map_err(|_| format!("close code {code}"))?;
        return Ok(Step::Close(code));
    }
    if step.flag("drop_tcp") {
        return Ok(Step::Drop);
    }
    Err(format!("unknown step {}", step.0))
}
