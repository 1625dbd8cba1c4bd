//! As much of FPNN as measuring needs: where packages end, and their numbers.
//!
//! Written apart from the client's codec, so that the floors cost what they
//! must and no more. (The layout is documented in `rtm_proto::frame`.)

pub(super) const TWO_WAY: u8 = 1;
pub(super) const ANSWER: u8 = 2;

const MAGIC: &[u8; 4] = b"FPNN";
const MSGPACK: u8 = 0x80;
/// Where the sequence number of a two-way quest or an answer is.
const SEQ_AT: usize = 12;
const NUMBERED_HEAD: usize = 16;

/// What stands in front of a method or a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: u8,
    /// Bytes of the method, or the status of an answer.
    pub(super) small: u8,
    /// 0 in one-way quests.
    pub(super) seq: u32,
    /// Bytes of the whole package.
    pub(super) len: usize,
}

/// The head of the first package of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// More bytes are needed to know.
    Incomplete,
    /// A head; the package it belongs to is complete.
    Package(Head),
    /// No package starts like this.
    Garbage,
}

pub(super) fn next(stream: &[u8]) -> Next {
    let Some(fixed) = stream.first_chunk::<12>() else {
        return Next::Incomplete;
    };
    let [b'F', b'P', b'N', b'N', _, _, kind, small, size @ ..] = *fixed else {
        return Next::Garbage;
    };
    let body = u32::from_le_bytes(size) as usize;
    let method = if kind == ANSWER {
        0
    } else {
        usize::from(small)
    };
    let (seq, head) = match (kind, stream.get(SEQ_AT..NUMBERED_HEAD)) {
        (0, _) => (0, SEQ_AT),
        (_, Some(seq)) => (
            u32::from_le_bytes(seq.try_into().unwrap_or_default()),
            NUMBERED_HEAD,
        ),
        (_, None) => return Next::Incomplete,
    };
    let len = head + method + body;
    if stream.len() < len {
        return Next::Incomplete;
    }
    Next::Package(Head {
        kind,
        small,
        seq,
        len,
    })
}

/// A two-way quest; its number is still to be set.
pub(super) fn quest(method: &str, body: &[u8]) -> Vec<u8> {
    let small = u8::try_from(method.len()).unwrap_or(u8::MAX);
    package(TWO_WAY, small, method, body)
}

/// An answer of success; its number is still to be set.
pub(super) fn answer(body: &[u8]) -> Vec<u8> {
    package(ANSWER, 0, "", body)
}

fn package(kind: u8, small: u8, method: &str, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut package = MAGIC.to_vec();
    package.extend([1, MSGPACK, kind, small]);
    package.extend(size.to_le_bytes());
    package.extend([0; 4]);
    package.extend(method.bytes());
    package.extend(body);
    package
}

/// Numbers the package that starts at `at`.
pub(super) fn set_seq(packages: &mut [u8], at: usize, seq: u32) {
    if let Some(place) = packages.get_mut(at + SEQ_AT..at + NUMBERED_HEAD) {
        place.copy_from_slice(&seq.to_le_bytes());
    }
}

/// A msgpack body.
pub(super) fn body(fields: Vec<(&str, rmpv::Value)>) -> Vec<u8> {
    let fields = fields.into_iter().map(|(key, value)| (key.into(), value));
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = rmpv::encode::write_value(&mut out, &rmpv::Value::Map(fields.collect()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Package;

    #[test]
    fn packages_are_written_as_the_judge_reads_them() {
        let body = body(vec![("v", 7.into())]);
        let mut quest = quest("t_echo", &body);
        set_seq(&mut quest, 0, 9);
        let read = Package::read(quest.clone()).unwrap();
        assert_eq!((read.method.as_str(), read.seq), ("t_echo", Some(9)));
        let head = Head {
            kind: TWO_WAY,
            small: 6,
            seq: 9,
            len: quest.len(),
        };
        assert_eq!(next(&quest), Next::Package(head));
        for cut in 0..quest.len() {
            assert_eq!(next(&quest[..cut]), Next::Incomplete, "{cut}");
        }
        let answer = answer(&body);
        assert_eq!(Package::read(answer).unwrap().seq, Some(0));
        assert_eq!(next(b"HTTP/1.1 400 Bad"), Next::Garbage);
    }
}
