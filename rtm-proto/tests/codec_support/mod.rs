//! A value tree that both the codec and the independent libraries can be turned into.

use bytes::{Bytes, BytesMut};
use rtm_proto::frame::{Decoder, Frame};
use rtm_proto::payload::{
    CodecError, Encoding, FromPayload, Payload, PayloadWriter, ToPayload, Value, ValueKind,
    ValueWriter,
};

/// Any value, with integers by value rather than by form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Nil,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Vec<u8>),
    Bin(Vec<u8>),
    List(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
}

impl Tree {
    pub(crate) fn str(text: &str) -> Self {
        Self::Str(text.as_bytes().to_vec())
    }

    /// The same tree with maps in an order that does not depend on the wire.
    pub(crate) fn sorted(self) -> Self {
        match self {
            Self::List(items) => Self::List(items.into_iter().map(Self::sorted).collect()),
            Self::Map(entries) => {
                let sorted = entries.into_iter().map(|(k, v)| (k, v.sorted()));
                let mut entries: Vec<_> = sorted.collect();
                entries.sort_by_key(|(key, _)| format!("{key:?}"));
                Self::Map(entries)
            }
            other => other,
        }
    }
}

impl FromPayload for Tree {
    fn from_value(value: Value<'_>) -> Result<Self, CodecError> {
        Ok(match value.kind() {
            ValueKind::Nil => Self::Nil,
            ValueKind::Bool => Self::Bool(value.read()?),
            ValueKind::Int => Self::Int(value.read()?),
            ValueKind::Float => Self::Float(value.read()?),
            ValueKind::Str => Self::Str(value.bytes()?.to_vec()),
            ValueKind::Bin => Self::Bin(value.bytes()?.to_vec()),
            ValueKind::Array => Self::List(value.read()?),
            ValueKind::Map => {
                let mut entries = Vec::new();
                value.entries(|key, value| {
                    entries.push((key.read()?, value.read()?));
                    Ok(())
                })?;
                Self::Map(entries)
            }
            ValueKind::Ext => panic!("no test writes extension types"),
        })
    }
}

impl ToPayload for Tree {
    fn write(&self, w: &mut ValueWriter<'_>) {
        match self {
            Self::Nil => w.nil(),
            Self::Bool(truth) => w.bool(*truth),
            Self::Int(whole) => match (u64::try_from(*whole), i64::try_from(*whole)) {
                (Ok(whole), _) => w.uint(whole),
                (_, Ok(whole)) => w.int(whole),
                _ => panic!("{whole} has no form on the wire"),
            },
            Self::Float(number) => w.f64(*number),
            Self::Str(bytes) => w.raw_str(bytes),
            Self::Bin(bytes) => w.bin(bytes),
            Self::List(items) => items.write(w),
            Self::Map(entries) => {
                w.map(entries.len());
                for (key, value) in entries {
                    key.write(w);
                    value.write(w);
                }
            }
        }
    }
}

impl From<&rmpv::Value> for Tree {
    fn from(value: &rmpv::Value) -> Self {
        match value {
            rmpv::Value::Nil => Self::Nil,
            rmpv::Value::Boolean(truth) => Self::Bool(*truth),
            rmpv::Value::Integer(whole) => match (whole.as_u64(), whole.as_i64()) {
                (Some(whole), _) => Self::Int(whole.into()),
                (None, whole) => Self::Int(whole.expect("either sign fits").into()),
            },
            rmpv::Value::F32(number) => Self::Float((*number).into()),
            rmpv::Value::F64(number) => Self::Float(*number),
            rmpv::Value::String(text) => Self::Str(text.as_bytes().to_vec()),
            rmpv::Value::Binary(bytes) => Self::Bin(bytes.clone()),
            rmpv::Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            rmpv::Value::Map(entries) => {
                Self::Map(entries.iter().map(|(k, v)| (k.into(), v.into())).collect())
            }
            rmpv::Value::Ext(..) => panic!("no test writes extension types"),
        }
    }
}

/// Plain JSON, without any notation.
impl From<&serde_json::Value> for Tree {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(truth) => Self::Bool(*truth),
            serde_json::Value::Number(number) => match number.as_i128() {
                Some(whole) => Self::Int(whole),
                None => Self::Float(number.as_f64().expect("a float")),
            },
            serde_json::Value::String(text) => Self::str(text),
            serde_json::Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            serde_json::Value::Object(entries) => Self::Map(
                entries
                    .iter()
                    .map(|(k, v)| (Self::str(k), v.into()))
                    .collect(),
            ),
        }
    }
}

/// The whole body, read by the codec.
pub(crate) fn read(payload: &Payload) -> Result<Tree, CodecError> {
    let mut entries = Vec::new();
    payload.fields(|key, value| {
        entries.push((Tree::str(key), value.read()?));
        Ok(())
    })?;
    Ok(Tree::Map(entries))
}

/// A body written by the codec; the tree must be a map with string keys.
pub(crate) fn write(tree: &Tree) -> Bytes {
    let Tree::Map(entries) = tree else {
        panic!("{tree:?} is not a map");
    };
    let mut out = BytesMut::new();
    let mut writer = PayloadWriter::new(&mut out);
    for (key, value) in entries {
        let Tree::Str(key) = key else {
            panic!("{key:?} is not a string");
        };
        writer.field(core::str::from_utf8(key).expect("a key"), value);
    }
    writer.finish().expect("a tree that fits");
    out.freeze()
}

/// All frames of a stream that arrives in the given chunks, and the error that ended it.
pub(crate) fn decode<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    max_package: usize,
) -> (Vec<Frame>, Option<CodecError>) {
    let mut decoder = Decoder::new(max_package);
    let mut frames = Vec::new();
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// A body of MessagePack.
pub(crate) fn msgpack(bytes: Bytes) -> Payload {
    Payload::new(Encoding::MsgPack, bytes).expect("a map")
}
