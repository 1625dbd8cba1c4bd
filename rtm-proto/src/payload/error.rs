//! What can be wrong with a package or a payload, and where.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// Longest part of a field path that one key contributes, in bytes: keys come from the peer.
const MAX_SEGMENT: usize = 64;

/// Longest field path in bytes; outer parts beyond it are left out.
const MAX_PATH: usize = 256;

/// What was wrong. [`CodecError::code`] has the FPNN code of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecErrorKind {
    /// The stream does not start with the magic `FPNN` (code 10003).
    BadMagic,
    /// The peer speaks HTTP: `POST` or `GET ` in place of the magic (code 10002).
    Http,
    /// The header has a version other than 0 and 1 (code 10002).
    Version,
    /// The package is compressed, which no RTM peer does (code 10002).
    Compressed,
    /// The header names both payload encodings or neither (code 10008).
    Encoding,
    /// The message type is not quest, one-way quest or answer (code 10007).
    MessageType,
    /// The method name is empty, longer than 255 bytes, holds a NUL or is not UTF-8 (code 10003).
    Method,
    /// The payload has no bytes; the smallest is an empty map (code 10003).
    EmptyPayload,
    /// The package is larger than the configured or the representable size (code 10003).
    TooLarge,
    /// A value is cut short, or declares more content than arrived (code 10003).
    Truncated,
    /// The byte `c1`, which MessagePack reserves (code 10003).
    Reserved,
    /// Arrays and maps are nested deeper than 64 levels (code 10003).
    TooDeep,
    /// More elements than a dynamic value may hold (code 10003).
    TooManyElements,
    /// The body is not valid JSON, or something follows it (code 10004).
    Json,
    /// The key of a field is not a string (code 10005).
    KeyNotString,
    /// The root of the payload is not a map (code 10006).
    RootNotMap,
    /// The value has another type than the field needs (code 10010).
    WrongType,
    /// The number does not fit the type of the field (code 10010).
    OutOfRange,
    /// Text that must be UTF-8 is not (code 10010).
    NotUtf8,
    /// A required field is missing (code 20009).
    Missing,
}

impl CodecErrorKind {
    /// The FPNN code of this kind (upstream `highras/fpnn base/FpnnError.h`).
    pub const fn code(self) -> i64 {
        match self {
            Self::Http | Self::Version | Self::Compressed => 10002,
            Self::BadMagic
            | Self::Method
            | Self::EmptyPayload
            | Self::TooLarge
            | Self::Truncated
            | Self::Reserved
            | Self::TooDeep
            | Self::TooManyElements => 10003,
            Self::Json => 10004,
            Self::KeyNotString => 10005,
            Self::RootNotMap => 10006,
            Self::MessageType => 10007,
            Self::Encoding => 10008,
            Self::WrongType | Self::OutOfRange | Self::NotUtf8 => 10010,
            Self::Missing => 20009,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::BadMagic => "not an FPNN package",
            Self::Http => "the peer speaks HTTP",
            Self::Version => "unsupported protocol version",
            Self::Compressed => "compressed packages are not supported",
            Self::Encoding => "the payload encoding is neither msgpack nor JSON",
            Self::MessageType => "unknown message type",
            Self::Method => "invalid method name",
            Self::EmptyPayload => "empty payload",
            Self::TooLarge => "package too large",
            Self::Truncated => "value cut short",
            Self::Reserved => "reserved msgpack byte",
            Self::TooDeep => "nested too deeply",
            Self::TooManyElements => "too many elements",
            Self::Json => "invalid JSON",
            Self::KeyNotString => "field key is not a string",
            Self::RootNotMap => "the payload is not a map",
            Self::WrongType => "wrong type",
            Self::OutOfRange => "number out of range",
            Self::NotUtf8 => "text is not UTF-8",
            Self::Missing => "required field missing",
        }
    }
}

/// A package or payload that could not be encoded or decoded: what was wrong, in which field,
/// and at which byte.
///
/// ```
/// use rtm_proto::payload::{CodecError, CodecErrorKind};
///
/// let error = CodecError::missing("mtime");
/// assert_eq!(error.kind(), CodecErrorKind::Missing);
/// assert_eq!(error.field(), Some("mtime"));
/// assert_eq!(error.code(), 20009);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecError(Box<Inner>);

/// Boxed, so that results of the many small readers stay small.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: CodecErrorKind,
    offset: usize,
    field: Option<String>,
}

impl CodecError {
    /// An error of this kind, at offset 0 and without a field.
    ///
    /// Walking a payload adds the field names on the way out. Readers of values use
    /// [`Value::error`](super::Value::error), which knows the offset too.
    pub fn new(kind: CodecErrorKind) -> Self {
        Self::at(kind, 0)
    }

    /// A required field that is not there.
    pub fn missing(field: &'static str) -> Self {
        Self::new(CodecErrorKind::Missing).prefixed(field)
    }

    /// What was wrong.
    pub fn kind(&self) -> CodecErrorKind {
        self.0.kind
    }

    /// Path of the field, like `msgs[3].mtime`; none if the error is not about a field.
    ///
    /// Keys are cut after 64 bytes; of a path longer than 256 bytes the inner part is kept.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// Where it was wrong, in bytes: from the start of the package for errors of its header, from
    /// the start of the payload otherwise. A missing field has the offset of the map that lacks it.
    ///
    /// In a JSON payload only syntax errors have an offset, others have 0.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The FPNN code for this error.
    pub fn code(&self) -> i64 {
        self.kind().code()
    }

    #[cold]
    pub(crate) fn at(kind: CodecErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner {
            kind,
            offset,
            field: None,
        }))
    }

    pub(crate) fn with_offset(mut self, offset: usize) -> Self {
        self.0.offset = offset;
        self
    }

    /// A missing field is noticed after its map was read, so the map tells its place.
    pub(crate) fn missing_from(self, map_at: usize) -> Self {
        if self.kind() == CodecErrorKind::Missing && self.offset() == 0 {
            return self.with_offset(map_at);
        }
        self
    }

    /// The same error, seen from the map that holds the field `key`.
    #[cold]
    pub(crate) fn within(self, key: &str) -> Self {
        let mut cut = key.len().min(MAX_SEGMENT);
        while !key.is_char_boundary(cut) {
            cut -= 1;
        }
        self.prefixed(key.get(..cut).unwrap_or_default())
    }

    /// The same error, seen from the array that holds element `index`.
    #[cold]
    pub(crate) fn within_index(self, index: usize) -> Self {
        self.prefixed(&alloc::format!("[{index}]"))
    }

    fn prefixed(mut self, segment: &str) -> Self {
        let inner = self.field().unwrap_or_default();
        if inner.len() + segment.len() >= MAX_PATH {
            return self;
        }
        let mut path = String::from(segment);
        if !inner.is_empty() && !inner.starts_with('[') {
            path.push('.');
        }
        path.push_str(inner);
        self.0.field = Some(path);
        self
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind().text())?;
        if let Some(field) = self.field() {
            write!(f, " in `{}`", field.escape_debug())?;
        }
        write!(f, " at byte {} (code {})", self.offset(), self.code())
    }
}

impl core::error::Error for CodecError {}

/// Turns an optional field into a required one.
pub trait Required<T> {
    /// The value, or [`CodecErrorKind::Missing`] with the field's name.
    ///
    /// ```
    /// use rtm_proto::payload::Required;
    ///
    /// let token: Option<u8> = None;
    /// let error = token.required("token").unwrap_err();
    /// assert_eq!(error.field(), Some("token"));
    /// ```
    fn required(self, field: &'static str) -> Result<T, CodecError>;
}

impl<T> Required<T> for Option<T> {
    fn required(self, field: &'static str) -> Result<T, CodecError> {
        self.ok_or_else(|| CodecError::missing(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn paths_join_keys_with_dots_and_indices_without() {
        let error = CodecError::missing("mtime")
            .within_index(3)
            .within("msgs")
            .within("data");
        assert_eq!(error.field(), Some("data.msgs[3].mtime"));
    }

    #[test]
    fn long_keys_are_cut_at_a_character_and_long_paths_keep_their_inner_part() {
        let key = "é".repeat(100);
        let mut error = CodecError::missing("x").within(&key);
        assert_eq!(error.field().unwrap().len(), MAX_SEGMENT + 2);
        for _ in 0..1000 {
            error = error.within("abcdefgh");
        }
        assert!(error.field().unwrap().len() <= MAX_PATH);
        assert!(error.field().unwrap().ends_with(".x"));
    }

    #[test]
    fn display_says_what_where_and_which_code() {
        let error = CodecError::at(CodecErrorKind::OutOfRange, 57).within("mtype");
        assert_eq!(
            error.to_string(),
            "number out of range in `mtype` at byte 57 (code 10010)"
        );
    }
}
