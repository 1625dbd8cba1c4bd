//! Payloads: the bodies of packages, maps with string keys in MessagePack or JSON.
//!
//! A [`Payload`] is what came from the wire, unread. [`Payload::fields`] walks it once and hands
//! each field over as a [`Value`], which is read as what the caller expects:
//!
//! ```
//! use bytes::Bytes;
//! use rtm_proto::payload::{Encoding, Payload, Required, TextOrBytes};
//!
//! let body = Bytes::from_static(br#"{"from": 778877, "msg": "hello"}"#);
//! let payload = Payload::new(Encoding::Json, body)?;
//! let (mut from, mut msg) = (None::<i64>, None::<TextOrBytes>);
//! payload.fields(|key, value| match key {
//!     "from" => value.read_into(&mut from),
//!     "msg" => value.read_into(&mut msg),
//!     _ => Ok(()),
//! })?;
//! assert_eq!(from.required("from")?, 778877);
//! assert_eq!(msg.required("msg")?.as_text(), Some("hello"));
//! # Ok::<(), rtm_proto::payload::CodecError>(())
//! ```
//!
//! [`PayloadWriter`] writes a payload. All numbers are exact: any integer form of the wire is read
//! into any integer type that holds the value, and integers are written in their shortest form.
//! Nothing is allocated on the word of a length that the peer declares, and unread values are
//! skipped without recursion.

#[cfg(feature = "value")]
mod dynamic;
mod error;
mod json;
mod pack;
mod read;
mod reader;
mod types;
mod value;
mod write;
mod writer;

use bytes::Bytes;
use core::fmt;

#[cfg(feature = "value")]
pub use dynamic::MAX_DYNAMIC_VALUES;
pub use error::{CodecError, CodecErrorKind, Required};
pub(crate) use json::error_body as json_error_body;
pub use read::FromPayload;
pub use types::{Bin, Blob, IdMap, Text, TextOrBytes};
pub use value::{MAX_DEPTH, Value, ValueKind};
pub use write::ToPayload;
pub use writer::{PayloadWriter, ValueWriter};

/// A body smaller than this is copied when it is kept, so that it does not keep a whole read buffer
/// alive, or at most one of twice its size: sockets read up to 64 KiB at a time.
pub(crate) const COPY_BELOW: usize = 32 * 1024;

/// How a payload is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// MessagePack, what RTM uses.
    #[default]
    MsgPack,
    /// JSON, which every FPNN peer understands and which cannot carry binary data.
    Json,
}

impl Encoding {
    /// The bit in the flag byte of a package header (upstream `highras/fpnn proto/FPMessage.h`).
    pub const fn flag(self) -> u8 {
        match self {
            Self::MsgPack => 0x80,
            Self::Json => 0x40,
        }
    }
}

/// The body of a package, as it came from the wire. Cheap to clone.
///
/// It usually is a slice of the chunk that brought it and keeps that alive; see
/// [`detach`](Self::detach). `Debug` shows no contents, which may hold tokens.
#[derive(Clone)]
pub struct Payload {
    encoding: Encoding,
    bytes: Bytes,
    /// Whether `bytes` is an allocation of its own already.
    detached: bool,
}

impl Payload {
    /// Wraps the bytes of a body. Only the first of them are looked at; the rest is checked when
    /// it is read.
    ///
    /// # Errors
    /// [`CodecErrorKind::EmptyPayload`] for no bytes, [`CodecErrorKind::RootNotMap`] if it does
    /// not start like a map.
    pub fn new(encoding: Encoding, bytes: Bytes) -> Result<Payload, CodecError> {
        if bytes.is_empty() {
            return Err(CodecError::new(CodecErrorKind::EmptyPayload));
        }
        let starts_map = match encoding {
            Encoding::MsgPack => matches!(bytes.first(), Some(0x80..=0x8f | 0xde | 0xdf)),
            Encoding::Json => bytes.trim_ascii_start().starts_with(b"{"),
        };
        if !starts_map {
            return Err(CodecError::new(CodecErrorKind::RootNotMap));
        }
        Ok(Self {
            encoding,
            bytes,
            detached: false,
        })
    }

    /// A payload without fields: the byte `80`, or `{}`.
    pub const fn empty(encoding: Encoding) -> Payload {
        let bytes: &'static [u8] = match encoding {
            Encoding::MsgPack => b"\x80",
            Encoding::Json => b"{}",
        };
        Self {
            encoding,
            bytes: Bytes::from_static(bytes),
            detached: true,
        }
    }

    /// How the body is encoded.
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The body as it is on the wire.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Walks the fields of the root map once, in wire order.
    ///
    /// Values that `f` does not read are skipped; nil values are handed over like any other. A
    /// field whose key is not UTF-8 is skipped. A key that comes twice is handed over twice. Bytes
    /// behind a MessagePack map are ignored, as other peers do.
    ///
    /// JSON is converted to MessagePack first, in one pass, with exact integers: then a [`Value`]
    /// is a slice of the converted body.
    ///
    /// # Errors
    /// The first error of `f`, with the key added to its path, or what is wrong with the body:
    /// [`CodecErrorKind::Truncated`], [`CodecErrorKind::Reserved`],
    /// [`CodecErrorKind::KeyNotString`], [`CodecErrorKind::Json`], [`CodecErrorKind::TooDeep`].
    pub fn fields(
        &self,
        f: impl FnMut(&str, Value<'_>) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        match self.encoding {
            Encoding::MsgPack => value::walk_root(&self.bytes, f),
            Encoding::Json => value::walk_root(&self.msgpack()?, f).map_err(|e| self.localized(e)),
        }
    }

    /// Copies the body unless it is an allocation of its own already. For bodies that are kept for
    /// long: a slice of a read buffer keeps the whole buffer alive.
    pub fn detach(&mut self) {
        if !self.detached {
            self.bytes = Bytes::copy_from_slice(&self.bytes);
            self.detached = true;
        }
    }

    /// The body as MessagePack.
    fn msgpack(&self) -> Result<Bytes, CodecError> {
        match self.encoding {
            Encoding::MsgPack => Ok(self.bytes.clone()),
            Encoding::Json => json::to_msgpack(&self.bytes),
        }
    }

    /// An offset in the converted form of a JSON body means nothing to the reader of the error.
    fn localized(&self, error: CodecError) -> CodecError {
        match self.encoding {
            Encoding::MsgPack => error,
            Encoding::Json => error.with_offset(0),
        }
    }
}

impl PartialEq for Payload {
    /// Equal encoding and equal bytes; equal fields in another order or form are not equal.
    fn eq(&self, other: &Self) -> bool {
        self.encoding == other.encoding && self.bytes == other.bytes
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("encoding", &self.encoding)
            .field("len", &self.bytes.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn refused(encoding: Encoding, bytes: &'static [u8]) -> CodecErrorKind {
        Payload::new(encoding, Bytes::from_static(bytes))
            .unwrap_err()
            .kind()
    }

    #[test]
    fn a_body_must_be_there_and_start_like_a_map() {
        for encoding in [Encoding::MsgPack, Encoding::Json] {
            assert_eq!(refused(encoding, b""), CodecErrorKind::EmptyPayload);
        }
        assert_eq!(
            refused(Encoding::MsgPack, b"\x90"),
            CodecErrorKind::RootNotMap
        );
        assert_eq!(
            refused(Encoding::MsgPack, b"{}"),
            CodecErrorKind::RootNotMap
        );
        assert_eq!(refused(Encoding::Json, b" [1]"), CodecErrorKind::RootNotMap);
        assert_eq!(refused(Encoding::Json, b"  "), CodecErrorKind::RootNotMap);
        assert!(Payload::new(Encoding::Json, Bytes::from_static(b"\r\n\t {}")).is_ok());
    }

    #[test]
    fn empty_payloads_have_no_fields() {
        for encoding in [Encoding::MsgPack, Encoding::Json] {
            let payload = Payload::empty(encoding);
            let walked = payload.fields(|key, _| panic!("{key} in an empty payload"));
            assert_eq!(walked, Ok(()));
        }
    }

    #[test]
    fn debug_shows_no_contents() {
        let body = Bytes::from_static(b"{\"token\":\"secret\"}");
        let payload = Payload::new(Encoding::Json, body).unwrap();
        assert_eq!(
            format!("{payload:?}"),
            "Payload { encoding: Json, len: 18 }"
        );
    }

    #[test]
    fn errors_in_a_json_field_tell_the_path_and_no_offset() {
        let body = Bytes::from_static(b"{\"a\":{\"b\":\"x\"}}");
        let payload = Payload::new(Encoding::Json, body).unwrap();
        let error = payload
            .fields(|_, a| a.fields(|_, b| b.read::<i64>().map(drop)))
            .unwrap_err();
        assert_eq!(error.field(), Some("a.b"));
        assert_eq!(
            (error.kind(), error.offset()),
            (CodecErrorKind::WrongType, 0)
        );
    }

    #[test]
    fn json_syntax_errors_keep_their_offset() {
        let body = Bytes::from_static(b"{\"a\":tru}");
        let payload = Payload::new(Encoding::Json, body).unwrap();
        let error = payload.fields(|_, _| Ok(())).unwrap_err();
        assert_eq!((error.kind(), error.code()), (CodecErrorKind::Json, 10004));
        assert_eq!(error.offset(), 8);
    }
}
