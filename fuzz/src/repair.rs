//! The filter for the server's missing length: any chunks give what a plain
//! reading of the rule gives.

use rtm_proto::transport::repair::Repair;

use crate::source::{Source, chunked, cut};

/// Input: the sizes of chunks, then what arrives.
///
/// # Panics
///
/// If the filter gives other bytes than the rule, or stands elsewhere.
pub fn run(data: &[u8]) {
    let (sizes, stream) = chunked(&mut Source::new(data));
    let whole = filter(&[stream]);
    assert_eq!(whole, expected(stream), "not the rule");
    assert_eq!(
        filter(&cut(stream, &sizes)),
        whole,
        "chunks make a difference"
    );
}

fn filter(chunks: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut repair = Repair::default();
    let mut out = Vec::new();
    for chunk in chunks {
        let mut rest = *chunk;
        while let Some(piece) = repair.next(&mut rest) {
            assert!(!piece.is_empty());
            out.extend_from_slice(piece);
        }
        assert!(rest.is_empty(), "bytes left behind");
    }
    (out, repair.between_messages())
}

/// The rule, read off the whole stream: frame by frame, and a length where the
/// magic stands in its place.
fn expected(mut stream: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut fragmented = false;
    while let [first, second, rest @ ..] = stream {
        if first & 8 == 0 {
            fragmented = first & 0x80 == 0;
        }
        out.extend([*first, *second]);
        let mut len = u64::from(second & 0x7f);
        stream = rest;
        if (*first, *second) == (0x82, 0x7e) && b"FPNN".starts_with(&rest[..rest.len().min(4)]) {
            if rest.len() < 4 {
                // Nobody can tell yet, so nothing is passed on.
                return (out, false);
            }
            out.extend([0, 126]);
            len = 126;
        } else if len >= 126 {
            let size = if len == 126 { 2 } else { 8 };
            let Some((field, rest)) = rest.split_at_checked(size) else {
                out.extend_from_slice(rest);
                return (out, false);
            };
            out.extend_from_slice(field);
            len = field
                .iter()
                .fold(0, |len, byte| len << 8 | u64::from(*byte));
            stream = rest;
        }
        if len > stream.len() as u64 {
            out.extend_from_slice(stream);
            return (out, false);
        }
        let (payload, rest) = stream.split_at(len as usize);
        out.extend_from_slice(payload);
        stream = rest;
    }
    out.extend_from_slice(stream);
    (out, stream.is_empty() && !fragmented)
}
