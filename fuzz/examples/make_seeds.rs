//! Makes the seeds in `fuzz/seeds` from the wire vectors of the tests.
//!
//! ```text
//! cd fuzz && cargo run --example make_seeds
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

/// Seeds per target; the files are small and there is no use in many of a kind.
const MOST: usize = 40;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let frames = frames(&root.join("../tests/vectors"))?;
    let mut seeds = Seeds {
        root: root.join("seeds"),
    };
    seeds.write("frame", streams(&frames))?;
    seeds.write("payload", bodies(&frames))?;
    seeds.write("websocket", websocket_streams(&frames))?;
    seeds.write("repair", repair_streams(&frames))?;
    for target in ["encode_decode", "connection_ops", "client_ops"] {
        seeds.write(target, operations(target))?;
    }
    Ok(())
}

struct Seeds {
    root: std::path::PathBuf,
}

impl Seeds {
    fn write(&mut self, target: &str, inputs: Vec<Vec<u8>>) -> io::Result<()> {
        let folder = self.root.join(target);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        for (index, input) in inputs.iter().enumerate() {
            fs::write(folder.join(format!("{index:02}")), input)?;
        }
        println!("{target}: {}", inputs.len());
        Ok(())
    }
}

/// Short frames of the vectors, each kind of method and body once.
fn frames(vectors: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for name in [
        "push-frames",
        "answer-frames",
        "client-frames",
        "tcp-frames",
    ] {
        let text = fs::read_to_string(vectors.join(format!("{name}.json")))?;
        let value: Value = serde_json::from_str(&text)?;
        collect(&value, &mut found);
    }
    let mut kinds = BTreeSet::new();
    found.retain(|frame| {
        let kind = frame.iter().take(24).copied().collect::<Vec<u8>>();
        frame.starts_with(b"FPNN") && frame.len() < 200 && kinds.insert(kind)
    });
    let step = found.len().div_ceil(MOST);
    Ok(found.into_iter().step_by(step.max(1)).collect())
}

fn collect(value: &Value, found: &mut Vec<Vec<u8>>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if name == "message_hex" || name == "frame_hex" => {
                        found.extend(bytes(text));
                    }
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// Chunk sizes in front, as the targets that cut streams have it.
fn in_chunks(sizes: &[u8], stream: &[u8]) -> Vec<u8> {
    let count = u8::try_from(sizes.len()).expect("a few sizes");
    [&[count], sizes, stream].concat()
}

fn streams(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let pairs = frames.chunks(2).enumerate();
    pairs
        .map(|(index, pair)| in_chunks(&[1 + index as u8, 7], &pair.concat()))
        .collect()
}

fn bodies(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let bodies = frames.iter().filter_map(|frame| {
        let (is_json, kind) = (frame.get(5)? & 0x40 != 0, frame.get(6)?);
        let name = if *kind == 2 {
            0
        } else {
            usize::from(*frame.get(7)?)
        };
        let start = 12 + name + if *kind == 0 { 0 } else { 4 };
        let body = frame.get(start..)?;
        (body.len() > 2).then(|| [&[u8::from(is_json)], body].concat())
    });
    bodies.collect()
}

fn server_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u8::try_from(payload.len()) {
        Ok(len @ ..=125) => frame.push(len),
        _ => {
            frame.push(126);
            frame.extend((payload.len() as u16).to_be_bytes());
        }
    }
    [&frame, payload].concat()
}

fn websocket_stream(frames: &[Vec<u8>], index: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for frame in frames {
        let (front, back) = frame.split_at(frame.len() / 2);
        match index % 4 {
            0 => stream.extend(server_frame(0x82, frame)),
            1 => stream.extend([server_frame(0x02, front), server_frame(0x80, back)].concat()),
            2 => stream.extend([server_frame(0x89, b"hi"), server_frame(0x82, frame)].concat()),
            _ => {
                let long = [&frame[..], &[b'x'; 126]].concat();
                stream.extend([b"\x82\x7e", &long[..126]].concat());
            }
        }
    }
    if index % 5 == 0 {
        stream.extend(server_frame(0x88, &1000_u16.to_be_bytes()));
    }
    stream
}

fn websocket_streams(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let groups = frames.chunks(2).enumerate();
    groups
        .map(|(index, group)| {
            let chunks = in_chunks(&[1 + index as u8, 3, 50], &websocket_stream(group, index));
            let switches: &[u8] = match index % 6 {
                1 => b"\x01\x07A: b\r\n\x00",
                2 => b"\x02\x05x",
                3 => b"\x04",
                _ => b"\x00",
            };
            [switches, &chunks].concat()
        })
        .collect()
}

fn repair_streams(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let groups = frames.chunks(3).enumerate();
    groups
        .map(|(index, group)| in_chunks(&[1 + index as u8, 2], &websocket_stream(group, index)))
        .collect()
}

/// Decisions from a small generator (xorshift).
fn operations(target: &str) -> Vec<Vec<u8>> {
    let mut state = target
        .bytes()
        .fold(0x9e37_79b9_7f4a_7c15, |state: u64, byte| {
            state.rotate_left(8) ^ u64::from(byte)
        });
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..24)
        .map(|index| (0..60 + 25 * index).map(|_| next()).collect())
        .collect()
}
