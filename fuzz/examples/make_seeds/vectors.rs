//! What the wire vectors hold.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

/// Seeds per target; the files are small and there is no use in many of a kind.
const MOST: usize = 40;
/// The longest frame taken; inputs give lengths in one byte.
const MAX_LEN: usize = 200;

/// The records of the vectors.
pub(crate) struct Vectors {
    client: Value,
    answers: Value,
    pushes: Value,
    tcp: Value,
}

/// A call and its answer.
pub(crate) struct Exchange {
    pub(crate) quest: Vec<u8>,
    pub(crate) answer: Vec<u8>,
}

impl Vectors {
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let read = |name: &str| -> io::Result<Value> {
            let text = fs::read_to_string(folder.join(format!("{name}.json")))?;
            Ok(serde_json::from_str(&text)?)
        };
        Ok(Vectors {
            client: read("client-frames")?,
            answers: read("answer-frames")?,
            pushes: read("push-frames")?,
            tcp: read("tcp-frames")?,
        })
    }

    /// Short frames, each kind of method and body once.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        for file in [&self.pushes, &self.answers, &self.client, &self.tcp] {
            collect(file, &mut found);
        }
        let mut kinds = BTreeSet::new();
        found.retain(|frame| {
            let kind = frame.iter().take(24).copied().collect::<Vec<u8>>();
            is_short_frame(frame) && kinds.insert(kind)
        });
        let step = found.len().div_ceil(MOST);
        found.into_iter().step_by(step.max(1)).collect()
    }

    /// Calls with their answers, in the order of the answers.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        let records = self.answers.as_array().into_iter().flatten();
        let exchanges = records.filter_map(|record| {
            let mut sent = Vec::new();
            collect(record.get("server_sends")?, &mut sent);
            let answer = sent.into_iter().find(|frame| is_short_frame(frame))?;
            let quest = self.quest_of(record.get("sdk_method")?)?;
            Some(Exchange { quest, answer })
        });
        exchanges.collect()
    }

    /// The first short quest of a method of the SDK.
    fn quest_of(&self, method: &Value) -> Option<Vec<u8>> {
        let records = self.client.as_array().into_iter().flatten();
        let mut quests = records
            .filter(|record| record.get("sdk_method") == Some(method))
            .filter_map(|record| bytes(record.get("frame_hex")?.as_str()?));
        quests.find(|frame| is_short_frame(frame))
    }

    /// Pushes, those of one record together.
    pub(crate) fn pushes(&self) -> Vec<Vec<Vec<u8>>> {
        let records = self.pushes.as_array().into_iter().flatten();
        let pushes = records.filter_map(|record| {
            let mut sent = Vec::new();
            collect(record.get("server_sends")?, &mut sent);
            sent.retain(|frame| is_short_frame(frame));
            (!sent.is_empty()).then_some(sent)
        });
        pushes.collect()
    }
}

fn is_short_frame(frame: &[u8]) -> bool {
    frame.starts_with(b"FPNN") && frame.len() < MAX_LEN
}

fn collect(value: &Value, found: &mut Vec<Vec<u8>>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if name == "message_hex" || name == "frame_hex" => {
                        found.extend(bytes(text));
                    }
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
