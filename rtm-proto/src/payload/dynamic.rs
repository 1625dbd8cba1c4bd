//! Payloads as `rmpv::Value`, for those who know no types in advance.

use bytes::BytesMut;
use rmpv::Value as Dynamic;

use super::error::{CodecError, CodecErrorKind};
use super::pack;
use super::reader::{Head, Reader};
use super::value::MAX_DEPTH;
use super::write::ToPayload;
use super::writer::ValueWriter;
use super::{Encoding, Payload};

/// Most values that one dynamic payload may hold: each takes about 40 bytes in memory and may
/// have taken one on the wire.
pub const MAX_DYNAMIC_VALUES: usize = 1 << 18;

impl Payload {
    /// The whole body as a dynamic value. Bytes behind the root map are ignored.
    ///
    /// A string that is not UTF-8 becomes an `rmpv` string that says so (`is_err`); writing it
    /// again turns it into a binary.
    ///
    /// # Errors
    /// Anything wrong with the body; [`CodecErrorKind::TooDeep`] beyond
    /// [`MAX_DEPTH`] levels, [`CodecErrorKind::TooManyElements`] beyond [`MAX_DYNAMIC_VALUES`].
    pub fn to_value(&self) -> Result<Dynamic, CodecError> {
        let bytes = self.msgpack()?;
        check(&bytes).map_err(|e| self.localized(e))?;
        // Its own limit counts more than one unit per level; ours was checked above.
        let read = rmpv::decode::read_value_with_max_depth(&mut &bytes[..], 4 * MAX_DEPTH);
        read.map_err(|_| CodecError::new(CodecErrorKind::Truncated))
    }

    /// A MessagePack payload from a dynamic value.
    ///
    /// # Errors
    /// [`CodecErrorKind::RootNotMap`], [`CodecErrorKind::KeyNotString`] for a key of the root,
    /// [`CodecErrorKind::TooDeep`] beyond [`MAX_DEPTH`] levels.
    pub fn from_value(value: &Dynamic) -> Result<Payload, CodecError> {
        let Dynamic::Map(entries) = value else {
            return Err(CodecError::new(CodecErrorKind::RootNotMap));
        };
        if entries.iter().any(|(key, _)| !key.is_str()) {
            return Err(CodecError::new(CodecErrorKind::KeyNotString));
        }
        let mut out = BytesMut::new();
        write(&mut out, value, 0)?;
        Payload::new(Encoding::MsgPack, out.freeze())
    }
}

/// Written as it is: nil as nil. More than 64 levels are an error of
/// [`PayloadWriter::finish`](super::PayloadWriter::finish).
impl ToPayload for Dynamic {
    fn write(&self, w: &mut ValueWriter<'_>) {
        let result = write(w.buffer(), self, 1);
        w.note(result);
    }
}

fn write(out: &mut BytesMut, value: &Dynamic, depth: usize) -> Result<(), CodecError> {
    if depth >= MAX_DEPTH && matches!(value, Dynamic::Array(_) | Dynamic::Map(_)) {
        return Err(CodecError::new(CodecErrorKind::TooDeep));
    }
    match value {
        Dynamic::Nil => pack::nil(out),
        Dynamic::Boolean(truth) => pack::bool(out, *truth),
        Dynamic::Integer(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => pack::uint(out, number),
            (None, number) => pack::int(out, number.unwrap_or_default()),
        },
        Dynamic::F32(number) => pack::f32(out, *number),
        Dynamic::F64(number) => pack::f64(out, *number),
        Dynamic::String(text) => pack::str(out, text.as_bytes())?,
        Dynamic::Binary(bytes) => pack::bin(out, bytes)?,
        Dynamic::Ext(kind, bytes) => pack::ext(out, *kind, bytes)?,
        Dynamic::Array(elements) => {
            pack::array(out, elements.len())?;
            for element in elements {
                write(out, element, depth + 1)?;
            }
        }
        Dynamic::Map(entries) => {
            pack::map(out, entries.len())?;
            for (key, value) in entries {
                write(out, key, depth + 1)?;
                write(out, value, depth + 1)?;
            }
        }
    }
    Ok(())
}

/// Checks a document before memory is spent on it: complete, not too deep, not too many values.
fn check(bytes: &[u8]) -> Result<(), CodecError> {
    let mut reader = Reader::new(bytes, 0);
    // Values still to come at each level; the first is the root itself.
    let mut pending = [0_usize; MAX_DEPTH + 1];
    let mut depth = 0;
    let mut seen = 0;
    if let Some(root) = pending.first_mut() {
        *root = 1;
    }
    loop {
        match pending.get_mut(depth) {
            Some(0) if depth == 0 => return Ok(()),
            Some(0) => {
                depth -= 1;
                continue;
            }
            Some(left) => *left -= 1,
            None => return Err(CodecError::at(CodecErrorKind::TooDeep, reader.at)),
        }
        let start = reader.at;
        seen += 1;
        if seen > MAX_DYNAMIC_VALUES {
            return Err(CodecError::at(CodecErrorKind::TooManyElements, start));
        }
        let children = match reader.head()? {
            Head::Str(length) | Head::Bin(length) => reader.take(length).map(|_| None)?,
            Head::Ext(length) => reader.take(length + 1).map(|_| None)?,
            Head::Array(count) => Some(count),
            Head::Map(count) => Some(count * 2),
            _ => None,
        };
        if let Some(children) = children {
            depth += 1;
            match pending.get_mut(depth) {
                Some(slot) => *slot = children,
                None => return Err(CodecError::at(CodecErrorKind::TooDeep, start)),
            }
        }
    }
}
