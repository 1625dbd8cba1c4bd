//! The decoder of packages: any chunks of a stream give what the whole gives.

use bytes::{Bytes, BytesMut};
use rtm_proto::frame::{Decoder, Frame, encode_answer, encode_quest};
use rtm_proto::payload::CodecError;

use crate::source::{Source, chunked, cut};

/// Small, so that the limit is met.
const MAX_PACKAGE: usize = 2000;

/// Input: the sizes of chunks, then a stream.
///
/// # Panics
///
/// If chunks make a difference, if more is held than arrived, or if a package
/// cannot be written again.
pub fn run(data: &[u8]) {
    let (sizes, stream) = chunked(&mut Source::new(data));
    let whole = decode(&[stream]);
    let pieces = decode(&cut(stream, &sizes));
    assert_eq!(whole, pieces, "chunks make a difference");
    for frame in &whole.0 {
        check_rewritten(frame);
    }
}

fn decode(chunks: &[&[u8]]) -> (Vec<Frame>, Option<CodecError>) {
    let mut decoder = Decoder::new(MAX_PACKAGE);
    let mut frames = Vec::new();
    let mut arrived = 0;
    for chunk in chunks {
        arrived += chunk.len();
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.buffered(), 0, "a failed decoder keeps bytes");
                    assert_eq!(decoder.next_frame(), Err(error.clone()));
                    return (frames, Some(error));
                }
            }
        }
        assert!(decoder.buffered() <= arrived);
        assert!(decoder.buffered() < MAX_PACKAGE, "a whole package is held");
    }
    (frames, None)
}

fn check_rewritten(frame: &Frame) {
    let mut out = BytesMut::new();
    let written = match frame {
        Frame::Quest(quest) => {
            let payload = &quest.payload;
            encode_quest(
                &mut out,
                quest.seq,
                quest.method(),
                payload.encoding(),
                payload.as_bytes(),
            )
        }
        Frame::Answer(answer) => {
            let payload = &answer.payload;
            encode_answer(
                &mut out,
                answer.seq,
                answer.status,
                payload.encoding(),
                payload.as_bytes(),
            )
        }
    };
    // A peer may use names that we refuse to write.
    if written.is_ok() {
        let (frames, error) = decode(&[&out]);
        assert_eq!((&frames[..], error), (std::slice::from_ref(frame), None));
    }
}
