//! Every frame captured from upstream programs decodes to what was recorded, and survives being
//! encoded again.

mod codec_support;

use bytes::BytesMut;
use codec_support::{Tree, decode, msgpack, read, write};
use rtm_proto::frame::{
    DEFAULT_MAX_PACKAGE, Frame, HEADER_LEN, Header, answer_len, encode_answer, encode_quest,
    quest_len,
};
use rtm_proto::payload::{CodecErrorKind, Encoding, Payload};
use serde_json::Value as Json;

/// A frame and what the record says about it.
struct Recorded {
    id: String,
    bytes: Vec<u8>,
    /// The header fields, where the record has them.
    header: Option<Json>,
    seq: Option<u64>,
    status: Option<u64>,
    encoding: Encoding,
    method: Option<String>,
    /// The decoded payload, if the record has it, with maps sorted.
    payload: Option<Tree>,
}

fn records(file: &str) -> Vec<Json> {
    let path = format!("{}/../tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn items<'a>(value: &'a Json, key: &str) -> &'a [Json] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The notation of the records: `{"int":"5"}` and the like stand for single values.
fn notation(value: &Json) -> Tree {
    if let Json::Object(object) = value {
        let mut entries = object.iter();
        if let (Some((form, content)), None) = (entries.next(), entries.next()) {
            match (form.as_str(), content) {
                ("int" | "int64" | "uint64", Json::String(text)) => {
                    return Tree::Int(text.parse().unwrap());
                }
                ("float", Json::Number(number)) => return Tree::Float(number.as_f64().unwrap()),
                ("bin", Json::String(text)) => return Tree::Bin(hex(text)),
                ("rawstr", Json::String(text)) => return Tree::Str(hex(text)),
                ("map", Json::Array(pairs)) => {
                    let pairs = pairs.iter().map(|p| (notation(&p[0]), notation(&p[1])));
                    return Tree::Map(pairs.collect());
                }
                _ => {}
            }
        }
        let entries = object.iter().map(|(k, v)| (Tree::str(k), notation(v)));
        return Tree::Map(entries.collect());
    }
    match value {
        Json::Array(items) => Tree::List(items.iter().map(notation).collect()),
        plain => Tree::from(plain),
    }
}

fn encoding(record: &Json) -> Encoding {
    match (
        record["encoding"].as_str(),
        record["header"]["flag"].as_u64(),
    ) {
        (Some("json"), _) | (_, Some(64)) => Encoding::Json,
        _ => Encoding::MsgPack,
    }
}

/// A frame whose bytes are in the record.
fn whole(id: &str, frame: &Json) -> Option<Recorded> {
    let bytes = hex(frame["frame_hex"].as_str()?);
    let header = frame.get("header").cloned();
    let seq = frame["seq"].as_u64();
    let payload = match frame["payload_json_text"].as_str() {
        Some(text) => Tree::from(&serde_json::from_str::<Json>(text).unwrap()),
        None => notation(frame.get("payload")?),
    };
    Some(Recorded {
        id: id.into(),
        bytes,
        seq: seq.or_else(|| frame["header"]["seq"].as_u64()),
        header,
        status: frame["status"].as_u64(),
        encoding: encoding(frame),
        method: frame["method"].as_str().map(Into::into),
        payload: Some(payload.sorted()),
    })
}

fn id(record: &Json) -> &str {
    record["id"].as_str().unwrap()
}

fn client_frames() -> Vec<Recorded> {
    let records = records("client-frames.json");
    let frames: Vec<_> = records.iter().filter_map(|r| whole(id(r), r)).collect();
    assert_eq!(frames.len(), 161);
    frames
}

fn tcp_frames() -> Vec<Recorded> {
    let mut frames = Vec::new();
    for record in records("tcp-frames.json") {
        let follow = items(&record, "server_frames_after_answer").iter();
        let all = [&record["quest"], &record["answer"]]
            .into_iter()
            .chain(follow);
        frames.extend(all.filter_map(|frame| whole(id(&record), frame)));
    }
    assert_eq!(frames.len(), 62);
    frames
}

fn push_answers() -> Vec<Recorded> {
    let mut frames = Vec::new();
    for record in records("push-frames.json") {
        let answers = items(&record, "expect_answers").iter();
        frames.extend(answers.filter_map(|frame| whole(id(&record), frame)));
    }
    assert_eq!(frames.len(), 114);
    frames
}

/// What a server sends in one record, as one stream.
fn server_stream(record: &Json) -> Vec<u8> {
    let mut stream = Vec::new();
    for sent in items(record, "server_sends") {
        if let Some(message) = sent["message_hex"].as_str() {
            stream.extend(hex(message));
        }
        for fragment in items(sent, "websocket_fragments_hex") {
            stream.extend(hex(fragment.as_str().unwrap()));
        }
    }
    stream
}

fn decode_whole(id: &str, stream: &[u8]) -> Vec<Frame> {
    let (frames, error) = decode([stream], DEFAULT_MAX_PACKAGE);
    assert_eq!(error, None, "{id}");
    frames
}

fn payload(frame: &Frame) -> &Payload {
    match frame {
        Frame::Quest(quest) => &quest.payload,
        Frame::Answer(answer) => &answer.payload,
    }
}

/// The frame again, with another body.
fn encode(frame: &Frame, body: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    let encoding = payload(frame).encoding();
    match frame {
        Frame::Quest(quest) => {
            encode_quest(&mut out, quest.seq, quest.method(), encoding, body).unwrap();
            assert_eq!(
                out.len(),
                quest_len(quest.method(), quest.seq.is_some(), body.len())
            );
        }
        Frame::Answer(answer) => {
            encode_answer(&mut out, answer.seq, answer.status, encoding, body).unwrap();
            assert_eq!(out.len(), answer_len(body.len()));
        }
    }
    out
}

/// The body as an independent library sees it.
fn oracle(payload: &Payload) -> Tree {
    match payload.encoding() {
        Encoding::MsgPack => {
            let mut rest = &payload.as_bytes()[..];
            Tree::from(&rmpv::decode::read_value(&mut rest).unwrap())
        }
        Encoding::Json => Tree::from(&serde_json::from_slice::<Json>(payload.as_bytes()).unwrap()),
    }
}

fn check_header(recorded: &Recorded, header: &Header) {
    let Some(expected) = &recorded.header else {
        return;
    };
    let id = &recorded.id;
    assert_eq!(
        u64::from(header.version),
        expected["version"].as_u64().unwrap(),
        "{id}"
    );
    assert_eq!(
        u64::from(header.flag),
        expected["flag"].as_u64().unwrap(),
        "{id}"
    );
    assert_eq!(
        u64::from(header.mtype.code()),
        expected["mtype"].as_u64().unwrap(),
        "{id}"
    );
    assert_eq!(
        u64::from(header.ss),
        expected["ss"].as_u64().unwrap(),
        "{id}"
    );
    assert_eq!(
        u64::from(header.psize),
        expected["psize"].as_u64().unwrap(),
        "{id}"
    );
}

fn check_decoded(recorded: &Recorded, frame: &Frame) {
    let id = &recorded.id;
    let (seq, status, method) = match frame {
        Frame::Quest(quest) => (quest.seq, None, Some(quest.method())),
        Frame::Answer(answer) => (Some(answer.seq), Some(answer.status), None),
    };
    assert_eq!(seq.map(u64::from), recorded.seq, "{id}");
    assert_eq!(method, recorded.method.as_deref(), "{id}");
    if recorded.status.is_some() {
        assert_eq!(status.map(u64::from), recorded.status, "{id}");
    }
    assert_eq!(payload(frame).encoding(), recorded.encoding, "{id}");
    let tree = read(payload(frame)).unwrap().sorted();
    assert_eq!(tree, oracle(payload(frame)).sorted(), "{id}");
    if let Some(expected) = &recorded.payload {
        assert_eq!(&tree, expected, "{id}");
    }
}

fn all_whole_frames() -> Vec<Recorded> {
    let mut frames = client_frames();
    frames.extend(tcp_frames());
    frames.extend(push_answers());
    frames
}

/// Everything that can go on one stream: whole frames, and what servers sent.
fn all_streams() -> Vec<(String, Vec<u8>)> {
    let whole = all_whole_frames().into_iter().map(|r| (r.id, r.bytes));
    let mut streams: Vec<_> = whole.collect();
    for file in ["push-frames.json", "answer-frames.json"] {
        for record in records(file) {
            streams.push((id(&record).into(), server_stream(&record)));
        }
    }
    streams
}

#[test]
fn recorded_frames_decode_to_the_recorded_header_and_payload() {
    for recorded in all_whole_frames() {
        let header = recorded.bytes.first_chunk::<HEADER_LEN>().unwrap();
        check_header(&recorded, &Header::parse(header).unwrap());
        let frames = decode_whole(&recorded.id, &recorded.bytes);
        assert_eq!(frames.len(), 1, "{}", recorded.id);
        check_decoded(&recorded, &frames[0]);
    }
}

#[test]
fn pushes_decode_to_the_recorded_method_and_payload() {
    let mut seen = 0;
    for record in records("push-frames.json") {
        let frames = decode_whole(id(&record), &server_stream(&record));
        let sent = items(&record, "server_sends").iter();
        let expected: Vec<_> = sent.flat_map(|s| items(s, "frames")).collect();
        assert_eq!(frames.len(), expected.len(), "{}", id(&record));
        for (frame, expected) in frames.iter().zip(expected) {
            let recorded = Recorded {
                id: id(&record).into(),
                bytes: Vec::new(),
                header: None,
                seq: expected["seq"].as_u64(),
                status: None,
                encoding: encoding(expected),
                method: expected["method"].as_str().map(Into::into),
                payload: Some(notation(&expected["payload"]).sorted()),
            };
            assert_eq!(recorded.seq.is_some(), expected["mtype"] == "twoway");
            check_decoded(&recorded, frame);
            seen += 1;
        }
    }
    assert_eq!(seen, 124);
}

#[test]
fn answers_decode_to_the_recorded_status_and_payload() {
    let mut seen = 0;
    for record in records("answer-frames.json") {
        let expected = &record["answer"];
        if expected.is_null() || expected["status"].is_null() {
            continue;
        }
        let frames = decode_whole(id(&record), &server_stream(&record));
        let seq = record["request_seq"].as_u64();
        let answer = frames.iter().find(
            |frame| matches!(frame, Frame::Answer(answer) if Some(u64::from(answer.seq)) == seq),
        );
        let recorded = Recorded {
            id: id(&record).into(),
            bytes: Vec::new(),
            header: None,
            seq,
            status: expected["status"].as_u64(),
            encoding: encoding(expected),
            method: None,
            payload: Some(notation(&expected["payload"]).sorted()),
        };
        check_decoded(&recorded, answer.expect(&recorded.id));
        seen += 1;
    }
    assert_eq!(seen, 87);
}

#[test]
fn bad_answer_frames_are_refused_for_what_is_wrong_with_them() {
    let expected = [
        ("badframe-144", Some(CodecErrorKind::Version)),
        ("badframe-145", None),
        ("badframe-146", Some(CodecErrorKind::Encoding)),
        ("badframe-148", Some(CodecErrorKind::MessageType)),
    ];
    let records = records("answer-frames.json");
    let bad = records.iter().filter(|r| r["kind"] == "badframe");
    let outcomes: Vec<_> = bad
        .map(|record| {
            let (_, error) = decode([&server_stream(record)[..]], DEFAULT_MAX_PACKAGE);
            (id(record), error.map(|e| e.kind()))
        })
        .collect();
    assert_eq!(outcomes, expected);
}

#[test]
fn decoded_frames_encode_to_the_same_header_and_an_equal_payload() {
    for recorded in all_whole_frames() {
        let id = &recorded.id;
        let frame = &decode_whole(id, &recorded.bytes)[0];
        assert_eq!(
            encode(frame, payload(frame).as_bytes())[..],
            recorded.bytes,
            "{id}"
        );
        if recorded.encoding == Encoding::Json {
            continue;
        }
        let tree = read(payload(frame)).unwrap();
        let again = encode(frame, &write(&tree));
        // All of the header but the length of the payload.
        assert_eq!(again[..8], recorded.bytes[..8], "{id}");
        let decoded = &decode_whole(id, &again)[0];
        assert_eq!(read(payload(decoded)).unwrap(), tree, "{id}");
        assert_eq!(oracle(payload(decoded)), tree, "{id}");
        match (decoded, frame) {
            (Frame::Quest(a), Frame::Quest(b)) => {
                assert_eq!((a.seq, a.method()), (b.seq, b.method()), "{id}");
            }
            (Frame::Answer(a), Frame::Answer(b)) => {
                assert_eq!((a.seq, a.status), (b.seq, b.status), "{id}");
            }
            _ => panic!("{id}: another type of frame"),
        }
    }
}

#[test]
fn frames_of_the_cpp_framework_encode_to_the_same_bytes() {
    let mut same = 0;
    let mut with_floats = 0;
    for recorded in tcp_frames() {
        if recorded.encoding == Encoding::Json {
            continue;
        }
        let frame = &decode_whole(&recorded.id, &recorded.bytes)[0];
        let tree = read(payload(frame)).unwrap();
        // That framework writes floats that fit as 32 bits; ours keeps the type it was given.
        if format!("{tree:?}").contains("Float") {
            with_floats += 1;
            continue;
        }
        assert_eq!(
            encode(frame, &write(&tree))[..],
            recorded.bytes,
            "{}",
            recorded.id
        );
        same += 1;
    }
    assert_eq!((same, with_floats), (55, 2));
}

#[test]
fn every_two_way_split_and_single_bytes_give_the_same_frames() {
    for (id, stream) in all_streams() {
        let expected = decode([&stream[..]], DEFAULT_MAX_PACKAGE);
        // Long streams are bodies of one byte repeated: their ends and every 97th byte will do.
        let near_end = |at: usize| at < 200 || at + 200 > stream.len() || at % 97 == 0;
        for at in (0..=stream.len()).filter(|at| near_end(*at)) {
            let (a, b) = stream.split_at(at);
            assert_eq!(
                decode([a, b], DEFAULT_MAX_PACKAGE),
                expected,
                "{id} split at {at}"
            );
        }
        let bytes = stream.chunks(1);
        assert_eq!(
            decode(bytes, DEFAULT_MAX_PACKAGE),
            expected,
            "{id} byte by byte"
        );
    }
}

#[test]
fn many_frames_in_one_chunk_and_in_odd_chunks_are_the_same_frames() {
    let frames = all_whole_frames();
    let stream: Vec<u8> = frames.iter().flat_map(|r| r.bytes.clone()).collect();
    let expected = decode_whole("all", &stream);
    assert_eq!(expected.len(), frames.len());
    for size in [2, 3, 7, 11, 12, 13, 64, 1000, 4096] {
        let (got, error) = decode(stream.chunks(size), DEFAULT_MAX_PACKAGE);
        assert_eq!(error, None);
        assert_eq!(got, expected, "chunks of {size}");
    }
}

#[test]
fn bodies_that_are_not_utf8_are_read_as_bytes_and_written_as_a_string_again() {
    let body = b"\x81\xa3msg\xa5\xff\xfe\x00\xc3\x28";
    let tree = read(&msgpack(body.to_vec().into())).unwrap();
    assert_eq!(write(&tree)[..], body[..]);
}
