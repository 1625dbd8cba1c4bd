//! Types that say how a field is read or written where Rust's own types leave a choice.

use alloc::collections::BTreeMap;
use alloc::string::String;
use bytes::Bytes;

/// Text that is read leniently: bytes that are not UTF-8 become U+FFFD. For texts that only
/// humans read, like the text of an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(pub String);

/// Bytes, read from a string or a binary without a copy, written as a binary.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(pub Bytes);

/// Borrowed bytes that are written as a binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bin<'a>(pub &'a [u8]);

/// A message body: text or bytes.
///
/// Old peers put arbitrary bytes into strings (upstream `highras/rtm-client-sdk-webjs`), so a
/// string that is not UTF-8 is read as `Bytes`, never dropped and never altered. `Text` is written
/// as a string, `Bytes` as a binary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextOrBytes {
    /// A string that is valid UTF-8.
    Text(String),
    /// A binary, or a string that is not UTF-8; a slice of the payload.
    Bytes(Bytes),
}

impl TextOrBytes {
    /// The contents, whichever they are.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(_) => None,
        }
    }
}

/// A map keyed by ids, which peers write as integers or as decimal strings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdMap<T>(pub BTreeMap<i64, T>);

impl<T> Default for IdMap<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}
