//! `tcp-frames.json`, except its probes: the client's own codec against captured packages.

use bytes::{Bytes, BytesMut};
use rtm_proto::frame::{
    DEFAULT_MAX_PACKAGE, Decoder, Frame, HEADER_LEN, Header, encode_answer, encode_quest,
};
use rtm_proto::payload::{Encoding, Payload};

use super::record::{Record, Verdict};
use super::{Job, job};
use crate::package::Package;
use crate::value::Value;

const INCOMPLETE: &str = "decoded as incomplete";

/// The records that are not probes, as jobs.
pub(super) fn jobs(records: Vec<Record>) -> Vec<Job> {
    let probe = |record: &Record| {
        record
            .opt_text("kind")
            .is_some_and(|k| k.starts_with("probe"))
    };
    let frames = records.into_iter().filter(|record| !probe(record));
    frames
        .map(|record| job(record.id(), move || judge(&record)))
        .collect()
}

fn judge(record: &Record) -> Verdict {
    let quest = record.part("quest").ok_or("the record has no quest")?;
    frame(&quest).map_err(|why| format!("quest: {why}"))?;
    if let Some(answer) = record.part("answer") {
        frame(&answer).map_err(|why| format!("answer: {why}"))?;
    }
    for push in record.parts("server_frames_after_answer") {
        frame(&push).map_err(|why| format!("push: {why}"))?;
    }
    Ok(())
}

/// Decodes, compares, encodes again and compares once more.
fn frame(record: &Record) -> Verdict {
    if record.json("frame_head_hex").is_some() {
        return start_of_frame(record);
    }
    let bytes = record.hex("frame_hex")?;
    let header = header(record, &bytes)?;
    let (method, frame) = decode(&bytes)?;
    if method != record.opt_text("method").unwrap_or_default() {
        return Err(format!("decoded as method {method:?}"));
    }
    let (seq, status, payload) = match &frame {
        Frame::Quest(quest) => (quest.seq, None, &quest.payload),
        Frame::Answer(answer) => (Some(answer.seq), Some(answer.status), &answer.payload),
    };
    let wanted = payload_of(record)?;
    let dynamic = payload.to_value().map_err(|error| error.to_string())?;
    let found = Value::from_msgpack(&dynamic);
    if found != wanted {
        return Err(format!("decoded as {found} instead of {wanted}"));
    }
    let again = Payload::from_value(&dynamic).map_err(|error| error.to_string())?;
    let body = match payload.encoding() {
        Encoding::MsgPack => again.as_bytes(),
        Encoding::Json => payload.as_bytes(),
    };
    let mut out = BytesMut::new();
    let encoded = match (status, seq) {
        (Some(status), Some(seq)) => encode_answer(&mut out, seq, status, payload.encoding(), body),
        _ => encode_quest(&mut out, seq, &method, payload.encoding(), body),
    };
    encoded.map_err(|error| error.to_string())?;
    written(&bytes, &out, header)
}

/// Of a long frame only the start is recorded: its header must be read, and the
/// rest be waited for.
fn start_of_frame(record: &Record) -> Verdict {
    let bytes = record.hex("frame_head_hex")?;
    let header = header(record, &bytes)?;
    if record.number("frame_len") != Some(header.package_len()) {
        return Err(format!("length decoded as {}", header.package_len()));
    }
    match decode(&bytes) {
        Err(why) if why == INCOMPLETE => Ok(()),
        other => Err(format!("its start alone was decoded as {other:?}")),
    }
}

/// Both are read by the judge's own reader, so that the codec cannot forgive
/// itself.
fn written(original: &[u8], again: &[u8], header: Header) -> Verdict {
    let read = |bytes: &[u8]| Package::read(bytes.to_vec());
    let (wanted, found) = (read(original)?, read(again)?);
    if found == wanted && u64::try_from(again.len()).ok() == Some(header.package_len()) {
        Ok(())
    } else {
        Err(format!("encoded again as {found:?} instead of {wanted:?}"))
    }
}

fn header(record: &Record, bytes: &[u8]) -> Result<Header, String> {
    let wanted = record.part("header").ok_or("the record has no header")?;
    let start = bytes
        .first_chunk::<HEADER_LEN>()
        .ok_or("the frame is cut short")?;
    let header = Header::parse(start).map_err(|error| error.to_string())?;
    for (name, found) in [
        ("version", header.version.into()),
        ("flag", header.flag.into()),
        ("mtype", header.mtype.code().into()),
        ("ss", header.ss.into()),
        ("psize", header.psize),
    ] {
        if wanted.number(name) != Some(found.into()) {
            return Err(format!("{name} decoded as {found}"));
        }
    }
    Ok(header)
}

fn decode(bytes: &[u8]) -> Result<(String, Frame), String> {
    let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
    decoder.push(Bytes::copy_from_slice(bytes));
    let frame = decoder.next_frame().map_err(|error| error.to_string())?;
    match frame {
        Some(Frame::Quest(quest)) => Ok((quest.method().to_owned(), Frame::Quest(quest))),
        Some(answer) => Ok((String::new(), answer)),
        None => Err(INCOMPLETE.into()),
    }
}

fn payload_of(record: &Record) -> Result<Value, String> {
    if let Some(text) = record.opt_text("payload_json_text") {
        let json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        return Ok(Value::from_json(&json));
    }
    record
        .value("payload")?
        .ok_or("the record has no payload".into())
}
