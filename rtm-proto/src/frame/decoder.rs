//! Cuts packages out of a byte stream.

use alloc::collections::VecDeque;
use bytes::{Buf, Bytes, BytesMut};
use core::fmt;

use super::header::{HEADER_LEN, Header, PackageType, check_magic};
use super::{Answer, Frame, Quest};
use crate::payload::{CodecError, CodecErrorKind, Payload};

/// Room that a cut package gets at once, in bytes, before it grows with what arrives.
const FIRST_ROOM: usize = 4096;

/// A package that is less than half of a chunk above this is copied, so that it does not keep all of
/// it alive. Sockets read less at a time, and a WebSocket message holds one package.
const LARGE_CHUNK: usize = 64 * 1024;

/// What arrived at once.
struct Chunk {
    /// What of it was not looked at yet.
    rest: Bytes,
    /// How long it was.
    len: usize,
}

/// Incremental decoder over a byte stream that may be chunked in any way.
///
/// Packages that lie whole in one chunk are slices of it, unless that is far larger; one that is cut
/// by the end of a chunk is gathered into memory of its own, which grows with the bytes that arrived and never on
/// the word of a header. A header is checked as soon as it is complete, the magic earlier.
///
/// See the [module](super) for an example.
pub struct Decoder {
    max_package: usize,
    /// Start of a package whose rest has not been looked at.
    cut: BytesMut,
    chunks: VecDeque<Chunk>,
    failed: Option<CodecError>,
}

impl Decoder {
    /// A decoder that refuses packages longer than `max_package` bytes, header included; see
    /// [`DEFAULT_MAX_PACKAGE`](super::DEFAULT_MAX_PACKAGE).
    pub fn new(max_package: usize) -> Self {
        Self {
            max_package,
            cut: BytesMut::new(),
            chunks: VecDeque::new(),
            failed: None,
        }
    }

    /// Takes the next bytes of the stream. Call [`next_frame`](Self::next_frame) until it gives
    /// nothing before pushing more, so that no more than one cut package is held.
    pub fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() && self.failed.is_none() {
            let len = chunk.len();
            self.chunks.push_back(Chunk { rest: chunk, len });
        }
    }

    /// The next whole package, if it has arrived.
    ///
    /// # Errors
    /// Those of [`Header::parse`], [`CodecErrorKind::TooLarge`] for a package longer than the
    /// limit, [`CodecErrorKind::Method`] for a name that is not UTF-8,
    /// [`CodecErrorKind::RootNotMap`]. A stream cannot be read on after an error: every later call
    /// gives the same one, and later bytes are dropped.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, CodecError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.advance();
        if let Err(error) = &result {
            self.failed = Some(error.clone());
            self.cut = BytesMut::new();
            self.chunks = VecDeque::new();
        }
        result
    }

    /// Bytes that were pushed and are not part of a package that was returned.
    pub fn buffered(&self) -> usize {
        self.cut.len()
            + self
                .chunks
                .iter()
                .map(|chunk| chunk.rest.len())
                .sum::<usize>()
    }

    fn advance(&mut self) -> Result<Option<Frame>, CodecError> {
        if self.cut.is_empty() {
            let Some(chunk) = self.chunks.front_mut() else {
                return Ok(None);
            };
            if let Some((header, total)) = check_start(&chunk.rest, self.max_package)? {
                if chunk.rest.len() >= total {
                    let mut package = chunk.rest.split_to(total);
                    if chunk.len > LARGE_CHUNK && total < chunk.len / 2 {
                        package = Bytes::copy_from_slice(&package);
                    }
                    if chunk.rest.is_empty() {
                        self.chunks.pop_front();
                    }
                    return frame(header, package).map(Some);
                }
            }
        }
        self.gather()
    }

    /// Completes a package that no single chunk holds.
    fn gather(&mut self) -> Result<Option<Frame>, CodecError> {
        loop {
            let known = check_start(&self.cut, self.max_package)?;
            let wanted = known.map_or(HEADER_LEN, |(_, total)| total);
            if let Some((header, total)) = known {
                if self.cut.len() >= total {
                    let package = core::mem::take(&mut self.cut).freeze();
                    return frame(header, package).map(Some);
                }
            }
            let Some(chunk) = self.chunks.front_mut() else {
                return Ok(None);
            };
            let taken = chunk.rest.len().min(wanted - self.cut.len());
            let likely = wanted.min(FIRST_ROOM.max(2 * (self.cut.len() + taken)));
            self.cut.reserve(likely.saturating_sub(self.cut.len()));
            self.cut
                .extend_from_slice(chunk.rest.get(..taken).unwrap_or_default());
            chunk.rest.advance(taken);
            if chunk.rest.is_empty() {
                self.chunks.pop_front();
            }
        }
    }
}

impl fmt::Debug for Decoder {
    /// No contents, which may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("max_package", &self.max_package)
            .field("buffered", &self.buffered())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// Checks as much of a header as there is; gives it and the package's length when it is complete.
fn check_start(bytes: &[u8], limit: usize) -> Result<Option<(Header, usize)>, CodecError> {
    let Some(start) = bytes.first_chunk::<HEADER_LEN>() else {
        return match bytes.first_chunk::<4>() {
            Some(magic) => check_magic(*magic).map(|()| None),
            None => Ok(None),
        };
    };
    let header = Header::parse(start)?;
    match usize::try_from(header.package_len()) {
        Ok(total) if total <= limit => Ok(Some((header, total))),
        _ => Err(CodecError::at(CodecErrorKind::TooLarge, 8)),
    }
}

/// Takes a whole package apart.
fn frame(header: Header, mut package: Bytes) -> Result<Frame, CodecError> {
    package.advance(HEADER_LEN);
    let seq = match header.mtype {
        PackageType::OneWay => None,
        PackageType::TwoWay | PackageType::Answer => Some(package.get_u32_le()),
    };
    let method = package.split_to(header.method_len());
    let payload = Payload::new(header.encoding, package)?;
    match (header.mtype, seq) {
        (PackageType::Answer, Some(seq)) => Ok(Frame::Answer(Answer {
            seq,
            status: header.ss,
            payload,
        })),
        _ => Quest::decoded(seq, method, payload).map(Frame::Quest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(stream: &[u8], limit: usize) -> Result<Option<Frame>, CodecErrorKind> {
        let mut decoder = Decoder::new(limit);
        decoder.push(Bytes::copy_from_slice(stream));
        decoder.next_frame().map_err(|e| e.kind())
    }

    const ANSWER: &[u8] = b"FPNN\x01\x80\x02\0\x01\0\0\0\x05\0\0\0\x80";

    #[test]
    fn a_package_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
        assert!(matches!(first(ANSWER, 17), Ok(Some(Frame::Answer(_)))));
        assert_eq!(first(ANSWER, 16), Err(CodecErrorKind::TooLarge));
        let huge = b"FPNN\x01\x80\x01\xff\xff\xff\xff\xff";
        assert_eq!(first(huge, usize::MAX), Ok(None));
        assert_eq!(first(huge, 1 << 23), Err(CodecErrorKind::TooLarge));
    }

    #[test]
    fn a_wrong_magic_is_noticed_before_the_header_is_complete() {
        assert_eq!(first(b"POS", 100), Ok(None));
        assert_eq!(first(b"POST", 100), Err(CodecErrorKind::Http));
        assert_eq!(first(b"XPNN", 100), Err(CodecErrorKind::BadMagic));
        assert_eq!(first(b"FPNN\xff\xff", 100), Ok(None));
    }

    #[test]
    fn a_root_that_is_no_map_and_a_method_that_is_no_text_are_refused() {
        let root = b"FPNN\x01\x80\x02\0\x01\0\0\0\x05\0\0\0\x90";
        assert_eq!(first(root, 100), Err(CodecErrorKind::RootNotMap));
        let json = b"FPNN\x01\x40\x02\0\x04\0\0\0\x05\0\0\0 [0]";
        assert_eq!(first(json, 100), Err(CodecErrorKind::RootNotMap));
        let method = b"FPNN\x01\x80\0\x02\x01\0\0\0\xff\xfe\x80";
        assert_eq!(first(method, 100), Err(CodecErrorKind::Method));
    }

    #[test]
    fn after_an_error_the_same_error_comes_again_and_nothing_is_kept() {
        let mut decoder = Decoder::new(100);
        decoder.push(Bytes::from_static(b"FPNN\x09\x80\x02\0\x01\0\0\0more"));
        let error = decoder.next_frame().unwrap_err();
        assert_eq!((error.kind(), error.offset()), (CodecErrorKind::Version, 4));
        decoder.push(Bytes::from_static(ANSWER));
        assert_eq!(decoder.next_frame(), Err(error));
        assert_eq!(decoder.buffered(), 0);
    }

    #[test]
    fn a_small_package_keeps_no_large_chunk_alive() {
        for (copies, is_slice) in [(10, true), (LARGE_CHUNK / ANSWER.len() + 1, false)] {
            let chunk = Bytes::from(ANSWER.repeat(copies));
            let within = chunk.as_ptr_range();
            let mut decoder = Decoder::new(1 << 23);
            decoder.push(chunk.clone());
            for _ in 0..copies {
                let Ok(Some(Frame::Answer(answer))) = decoder.next_frame() else {
                    panic!("an answer");
                };
                let payload = answer.payload.as_bytes().as_ptr();
                assert_eq!(within.contains(&payload), is_slice);
            }
            assert_eq!(decoder.next_frame(), Ok(None));
        }
    }

    #[test]
    fn a_header_alone_reserves_no_room_for_its_package() {
        let mut decoder = Decoder::new(1 << 23);
        decoder.push(Bytes::from_static(b"FPNN\x01\x80\x02\0\0\0\x70\0"));
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.cut.capacity() <= 2 * FIRST_ROOM);
        decoder.push(Bytes::from(alloc::vec![0x80; 100_000]));
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.cut.capacity() <= 2 * 100_012);
    }
}
