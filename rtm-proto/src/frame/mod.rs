//! Packages: the units of the FPNN protocol, and how they are cut out of a byte stream.
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use rtm_proto::frame::{DEFAULT_MAX_PACKAGE, Decoder, Frame, encode_quest};
//! use rtm_proto::payload::Encoding;
//!
//! let mut stream = BytesMut::new();
//! encode_quest(&mut stream, Some(7), "ping", Encoding::MsgPack, b"\x80")?;
//!
//! let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
//! decoder.push(stream.freeze());
//! let Some(Frame::Quest(quest)) = decoder.next_frame()? else { panic!("a quest was sent") };
//! assert_eq!((quest.method(), quest.seq), ("ping", Some(7)));
//! assert_eq!(decoder.next_frame()?, None);
//! # Ok::<(), rtm_proto::payload::CodecError>(())
//! ```

mod decoder;
mod encode;
mod header;

use bytes::Bytes;

pub use decoder::Decoder;
pub use encode::{
    answer_len, check_quest, encode_answer, encode_error_body, encode_quest, quest_len,
};
pub use header::{HEADER_LEN, Header, PackageType};

use crate::payload::{CodecError, CodecErrorKind, Payload};

/// Default limit for the length of a package, header included: 8 MiB, what servers accept
/// (upstream `highras/fpnn core/Config.h`).
pub const DEFAULT_MAX_PACKAGE: usize = 8 * 1024 * 1024;

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A call of the peer, or a push: RTM's pushes are quests of the server.
    Quest(Quest),
    /// The answer to a quest.
    Answer(Answer),
}

/// A quest: a method and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quest {
    /// Sequence number to answer with; none for a one-way quest, which must not be answered.
    pub seq: Option<u32>,
    /// The arguments.
    pub payload: Payload,
    /// Always valid UTF-8.
    method: Bytes,
}

impl Quest {
    /// A quest for a method.
    ///
    /// # Errors
    /// [`CodecErrorKind::Method`] if the name is not 1 to 255 bytes long or holds a NUL.
    pub fn new(seq: Option<u32>, method: &str, payload: Payload) -> Result<Self, CodecError> {
        encode::check_method(method)?;
        Ok(Self {
            seq,
            payload,
            method: Bytes::copy_from_slice(method.as_bytes()),
        })
    }

    /// Name of the method.
    pub fn method(&self) -> &str {
        core::str::from_utf8(&self.method).unwrap_or_default()
    }

    fn decoded(seq: Option<u32>, method: Bytes, payload: Payload) -> Result<Self, CodecError> {
        match core::str::from_utf8(&method) {
            Ok(_) => Ok(Self {
                seq,
                payload,
                method,
            }),
            Err(_) => Err(CodecError::at(CodecErrorKind::Method, HEADER_LEN)),
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Sequence number of the quest that is answered.
    pub seq: u32,
    /// 0 for success; any other status means that the payload describes an error.
    pub status: u8,
    /// The result.
    pub payload: Payload,
}
