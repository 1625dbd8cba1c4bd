//! The filter for the server's missing length, on streams cut in every way.
#![cfg(feature = "websocket")]

use rtm_proto::transport::repair::Repair;

/// One frame, and what of it arrives: they differ where the server forgets the length.
struct Frame {
    genuine: Vec<u8>,
    arriving: Vec<u8>,
}

fn frame(first: u8, payload: &[u8]) -> Frame {
    let mut genuine = vec![first];
    match payload.len() {
        len @ 0..=125 => genuine.push(len as u8),
        len @ 126..=0xffff => {
            genuine.push(126);
            genuine.extend((len as u16).to_be_bytes());
        }
        len => {
            genuine.push(127);
            genuine.extend((len as u64).to_be_bytes());
        }
    }
    genuine.extend_from_slice(payload);
    let arriving = genuine.clone();
    Frame { genuine, arriving }
}

/// A package of 126 bytes without its length.
fn defect(package: &[u8]) -> Frame {
    assert_eq!(package.len(), 126);
    let arriving = [b"\x82\x7e", package].concat();
    Frame {
        arriving,
        ..frame(0x82, package)
    }
}

/// A package of `len` bytes with as many false frame headers in it as fit.
fn package(len: usize) -> Vec<u8> {
    let body = b"\x82\x7eFPNN\x82\x7e\x00\x7eFPNN\x82\x05";
    b"FPNN"
        .iter()
        .chain(body.iter().cycle())
        .take(len)
        .copied()
        .collect()
}

/// As short as a stream with every form can be.
fn short_stream() -> Vec<Frame> {
    vec![
        frame(0x89, b""),
        defect(&package(126)),
        defect(&package(126)),
        frame(0x02, b"\x82\x7eFPNN"),
        frame(0x89, b"\x82\x7eFPNN"),
        frame(0x80, b""),
        frame(0x82, &package(126)),
        frame(0x82, &package(127)),
        frame(0x81, &package(20)),
        defect(&package(126)),
    ]
}

fn long_stream() -> Vec<Frame> {
    let mut stream = short_stream();
    stream.extend([
        frame(0x82, &package(125)),
        frame(0x82, &package(18_000)),
        defect(&package(126)),
        frame(0x8a, &package(125)),
        // Lengths that begin like the magic: 0x46.., 0x4650, 0x4651.
        frame(0x82, &package(0x4600)),
        frame(0x82, b"NX".repeat(9_000).as_slice()),
        frame(0x82, &package(0x4651)),
        frame(0x82, &package(65_535)),
        frame(0x82, &package(65_536)),
        frame(0x01, &package(126)),
        frame(0x80, &package(126)),
        defect(&package(126)),
        frame(0x88, b"\x03\xe8"),
    ]);
    stream
}

fn arriving(stream: &[Frame]) -> Vec<u8> {
    stream
        .iter()
        .flat_map(|frame| frame.arriving.clone())
        .collect()
}

fn genuine(stream: &[Frame]) -> Vec<u8> {
    stream
        .iter()
        .flat_map(|frame| frame.genuine.clone())
        .collect()
}

/// Feeds the chunks and compares as it goes, so that long streams stay cheap.
fn passes_as<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, mut expected: &[u8]) -> bool {
    let mut repair = Repair::default();
    for mut chunk in chunks {
        while let Some(piece) = repair.next(&mut chunk) {
            assert!(!piece.is_empty());
            match expected.strip_prefix(piece) {
                Some(rest) => expected = rest,
                None => return false,
            }
        }
        assert!(chunk.is_empty());
    }
    expected.is_empty() && repair.between_messages()
}

#[test]
fn every_two_way_split_of_a_long_stream_is_repaired() {
    let stream = long_stream();
    let (arriving, genuine) = (arriving(&stream), genuine(&stream));
    for cut in 0..=arriving.len() {
        let (head, tail) = arriving.split_at(cut);
        assert!(passes_as([head, tail], &genuine), "cut at {cut}");
    }
}

#[test]
fn every_three_way_split_of_a_short_stream_is_repaired() {
    let stream = short_stream();
    let (arriving, genuine) = (arriving(&stream), genuine(&stream));
    for first in 0..=arriving.len() {
        let (head, rest) = arriving.split_at(first);
        for second in 0..=rest.len() {
            let (middle, tail) = rest.split_at(second);
            assert!(
                passes_as([head, middle, tail], &genuine),
                "{first} {second}"
            );
        }
    }
}

#[test]
fn chunks_of_every_small_size_are_repaired() {
    let stream = long_stream();
    let (arriving, genuine) = (arriving(&stream), genuine(&stream));
    for size in 1..=20 {
        assert!(
            passes_as(arriving.chunks(size), &genuine),
            "chunks of {size}"
        );
    }
}

#[test]
fn a_genuine_18000_passes_unchanged_wherever_it_is_cut() {
    let genuine = frame(0x82, &package(18_000)).genuine;
    assert_eq!(genuine[..6], *b"\x82\x7eFPFP");
    for cut in 0..20 {
        let (head, tail) = genuine.split_at(cut);
        assert!(passes_as([head, tail], &genuine), "cut at {cut}");
    }
}

#[test]
fn a_clean_chunk_is_one_piece_of_itself() {
    let clean: Vec<_> = long_stream()
        .into_iter()
        .filter(|f| f.arriving == f.genuine)
        .collect();
    let clean = genuine(&clean);
    let mut chunk = &clean[..];
    let mut repair = Repair::default();
    let piece = repair.next(&mut chunk).unwrap();
    assert_eq!((piece.as_ptr(), piece.len()), (clean.as_ptr(), clean.len()));
    assert_eq!(repair.next(&mut chunk), None);
}

#[test]
fn only_binary_final_unmasked_frames_are_repaired() {
    for header in [
        b"\x02\x7e",
        b"\x81\x7e",
        b"\x80\x7e",
        b"\x82\xfe",
        b"\xc2\x7e",
    ] {
        let bytes = [header, &b"FPNN"[..]].concat();
        let mut chunk = &bytes[..];
        let mut repair = Repair::default();
        assert_eq!(repair.next(&mut chunk), Some(&bytes[..]));
        assert!(!repair.between_messages());
    }
}

#[test]
fn it_is_between_messages_only_where_none_is_open() {
    let mut repair = Repair::default();
    let mut feed = |bytes: &'static [u8]| {
        let mut chunk = bytes;
        while repair.next(&mut chunk).is_some() {}
        repair.between_messages()
    };
    assert!(feed(b"\x82\x02hi"));
    assert!(!feed(b"\x82"));
    assert!(!feed(b"\x02h"));
    assert!(feed(b"i"));
    assert!(!feed(b"\x02\x01h"), "a fragment leaves its message open");
    assert!(!feed(b"\x89\x00"), "a ping does not end it");
    assert!(!feed(b"\x00\x01i"));
    assert!(feed(b"\x80\x00"));
    assert!(
        !feed(b"\x82\x7eFP"),
        "withheld bytes are not between messages"
    );
}

#[test]
fn garbage_loses_no_byte_and_gains_missing_lengths_only() {
    let mut seed = 7_u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695);
        (seed >> 33) as usize
    };
    let alphabet = b"\x82\x7e\x7fFPNN\x00\x01\x02\x89\xff";
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..200)
            .map(|_| alphabet[random() % alphabet.len()])
            .collect();
        let (mut repair, mut repaired) = (Repair::default(), Vec::new());
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (mut chunk, behind) = rest.split_at((1 + random() % 30).min(rest.len()));
            while let Some(piece) = repair.next(&mut chunk) {
                repaired.extend_from_slice(piece);
            }
            rest = behind;
        }
        assert_eq!(without_insertions(&repaired, &bytes), bytes);
    }
}

/// Takes out each `00 7e` that stands where `original` goes on with the magic behind `82 7e`, and
/// puts back the end of `original` that a filter may still withhold.
fn without_insertions(repaired: &[u8], original: &[u8]) -> Vec<u8> {
    let (mut clean, mut at) = (Vec::new(), 0);
    while at < repaired.len() {
        let inserted = repaired[at..].starts_with(b"\x00\x7eFPNN")
            && clean.ends_with(b"\x82\x7e")
            && original[clean.len()..].starts_with(b"FPNN");
        at += if inserted { 2 } else { 0 };
        clean.push(repaired[at]);
        at += 1;
    }
    let withheld = original.len() - clean.len();
    assert!(withheld <= 3);
    let end = &original[clean.len()..];
    assert_eq!(end, &b"FPN"[..withheld]);
    clean.extend_from_slice(end);
    clean
}
