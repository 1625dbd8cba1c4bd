//! Writes payloads field by field.

use bytes::{BufMut, BytesMut};
use core::fmt;

use super::error::{CodecError, CodecErrorKind};
use super::pack;
use super::write::ToPayload;

/// Room for the marker of a map with up to 15 fields, which is nearly every payload.
const SHORT_HEADER: usize = 1;

/// Writes a payload map field by field, as MessagePack, into a buffer that the caller owns and
/// reuses.
///
/// Nothing that was in the buffer is touched. Dropped without [`finish`](Self::finish) it leaves
/// an unfinished map behind.
///
/// ```
/// use bytes::BytesMut;
/// use rtm_proto::payload::PayloadWriter;
///
/// let mut buffer = BytesMut::new();
/// let mut writer = PayloadWriter::new(&mut buffer);
/// writer.field("to", &778899_i64).field("msg", "hi").field_opt("attrs", None::<&str>);
/// writer.finish()?;
/// assert_eq!(&buffer[..], b"\x82\xa2to\xce\x00\x0b\xe2\x93\xa3msg\xa2hi");
/// # Ok::<(), rtm_proto::payload::CodecError>(())
/// ```
pub struct PayloadWriter<'b> {
    out: &'b mut BytesMut,
    start: usize,
    count: usize,
    failed: Option<CodecError>,
}

impl<'b> PayloadWriter<'b> {
    /// Starts a map at the end of the buffer.
    pub fn new(buf: &'b mut BytesMut) -> Self {
        let start = buf.len();
        buf.put_bytes(0x80, SHORT_HEADER);
        Self {
            out: buf,
            start,
            count: 0,
            failed: None,
        }
    }

    /// Adds a field. Writing the same key twice is not prevented; readers take the last one.
    pub fn field<T: ToPayload + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        self.count += 1;
        let mut writer = ValueWriter {
            out: self.out,
            failed: &mut self.failed,
        };
        writer.str(key);
        value.write(&mut writer);
        self
    }

    /// Adds a field if there is a value; otherwise the key is left out.
    pub fn field_opt<T: ToPayload + ?Sized>(&mut self, key: &str, value: Option<&T>) -> &mut Self {
        match value {
            Some(value) => self.field(key, value),
            None => self,
        }
    }

    /// Ends the map.
    ///
    /// # Errors
    /// The first error of a value that could not be written ([`CodecErrorKind::TooLarge`] for a
    /// length beyond 32 bits, [`CodecErrorKind::TooDeep`]). The buffer is then as it was before.
    pub fn finish(self) -> Result<(), CodecError> {
        let result = match self.failed {
            Some(error) => Err(error),
            None => write_header(self.out, self.start, self.count),
        };
        if result.is_err() {
            self.out.truncate(self.start);
        }
        result
    }
}

impl fmt::Debug for PayloadWriter<'_> {
    /// No contents, which may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadWriter")
            .field("fields", &self.count)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// Puts the map's header before its fields, which are moved if it is longer than one byte.
fn write_header(out: &mut BytesMut, start: usize, count: usize) -> Result<(), CodecError> {
    if let (Ok(short @ 0..16), Some(slot)) = (u8::try_from(count), out.get_mut(start)) {
        *slot = 0x80 | short;
        return Ok(());
    }
    let mut header = BytesMut::new();
    pack::map(&mut header, count)?;
    let fields = start + SHORT_HEADER;
    let end = out.len();
    let more = header.len() - SHORT_HEADER;
    out.put_bytes(0, more);
    out.copy_within(fields..end, fields + more);
    if let Some(slot) = out.get_mut(start..start + header.len()) {
        slot.copy_from_slice(&header);
    }
    Ok(())
}

/// Writes one value; see [`ToPayload`].
///
/// Errors are kept and reported by [`PayloadWriter::finish`].
pub struct ValueWriter<'w> {
    out: &'w mut BytesMut,
    failed: &'w mut Option<CodecError>,
}

impl ValueWriter<'_> {
    /// Writes nil.
    pub fn nil(&mut self) {
        pack::nil(self.out);
    }

    /// Writes a boolean.
    pub fn bool(&mut self, value: bool) {
        pack::bool(self.out, value);
    }

    /// Writes a signed integer in its shortest form; one that is not negative as unsigned.
    pub fn int(&mut self, value: i64) {
        pack::int(self.out, value);
    }

    /// Writes an unsigned integer in its shortest form.
    pub fn uint(&mut self, value: u64) {
        pack::uint(self.out, value);
    }

    /// Writes a 64-bit float.
    pub fn f64(&mut self, value: f64) {
        pack::f64(self.out, value);
    }

    /// Writes a string.
    pub fn str(&mut self, value: &str) {
        self.raw_str(value.as_bytes());
    }

    /// Writes bytes under the header of a string, as old peers do with binary data.
    pub fn raw_str(&mut self, bytes: &[u8]) {
        let result = pack::str(self.out, bytes);
        self.note(result);
    }

    /// Writes bytes as a binary.
    pub fn bin(&mut self, bytes: &[u8]) {
        let result = pack::bin(self.out, bytes);
        self.note(result);
    }

    /// Starts an array. Exactly `count` values must follow.
    pub fn array(&mut self, count: usize) {
        let result = pack::array(self.out, count);
        self.note(result);
    }

    /// Starts a map. Exactly `count` pairs of key and value must follow.
    pub fn map(&mut self, count: usize) {
        let result = pack::map(self.out, count);
        self.note(result);
    }

    /// Makes [`PayloadWriter::finish`] fail with this error, for values that cannot be written.
    /// The first error counts.
    pub fn fail(&mut self, kind: CodecErrorKind) {
        self.note(Err(CodecError::new(kind)));
    }

    #[cfg(feature = "value")]
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        self.out
    }

    pub(super) fn note(&mut self, result: Result<(), CodecError>) {
        if let Err(error) = result {
            self.failed.get_or_insert(error);
        }
    }
}

impl fmt::Debug for ValueWriter<'_> {
    /// No contents, which may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueWriter")
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn map_of(count: usize) -> BytesMut {
        let mut buffer = BytesMut::from(&b"before"[..]);
        let mut writer = PayloadWriter::new(&mut buffer);
        for index in 0..count {
            writer.field(&format!("k{index}"), &index.to_be_bytes().as_slice());
        }
        writer.finish().unwrap();
        assert_eq!(&buffer[..6], b"before");
        buffer.split_off(6)
    }

    #[test]
    fn the_map_header_is_the_shortest_that_fits() {
        assert_eq!(map_of(0)[..], [0x80]);
        assert_eq!(map_of(15)[..4], [0x8f, 0xa2, b'k', b'0']);
        assert_eq!(map_of(16)[..6], [0xde, 0, 16, 0xa2, b'k', b'0']);
        assert_eq!(map_of(65_535)[..6], [0xde, 0xff, 0xff, 0xa2, b'k', b'0']);
        assert_eq!(map_of(65_536)[..8], [0xdf, 0, 1, 0, 0, 0xa2, b'k', b'0']);
    }

    #[test]
    fn fields_behind_a_long_header_keep_their_bytes() {
        let mut bytes = map_of(16);
        let tail = bytes.split_off(bytes.len() - 13);
        assert_eq!(&tail[..4], b"\xa3k15");
        assert_eq!(tail[4], 0x98);
    }

    #[test]
    fn an_absent_optional_field_leaves_its_key_out() {
        let mut buffer = BytesMut::new();
        let mut writer = PayloadWriter::new(&mut buffer);
        writer
            .field_opt("a", None::<&i64>)
            .field_opt("b", Some(&1_u8));
        writer.finish().unwrap();
        assert_eq!(buffer[..], [0x81, 0xa1, b'b', 1]);
    }

    #[test]
    fn a_failed_value_leaves_the_buffer_as_it_was() {
        struct Broken;
        impl ToPayload for Broken {
            fn write(&self, w: &mut ValueWriter<'_>) {
                w.fail(CodecErrorKind::TooDeep);
                w.fail(CodecErrorKind::TooLarge);
            }
        }
        let mut buffer = BytesMut::from(&b"before"[..]);
        let mut writer = PayloadWriter::new(&mut buffer);
        writer.field("a", &1_u8).field("b", &Broken);
        let shown = format!("{writer:?}");
        assert!(
            shown.contains("fields: 2") && !shown.contains("before"),
            "{shown}"
        );
        assert_eq!(writer.finish().unwrap_err().kind(), CodecErrorKind::TooDeep);
        assert_eq!(&buffer[..], b"before");
    }
}
