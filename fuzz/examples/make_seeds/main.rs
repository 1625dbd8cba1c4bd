//! Makes the seeds in `fuzz/seeds` from the wire vectors of the tests.
//!
//! ```text
//! cd fuzz && cargo run --example make_seeds
//! ```

mod decisions;
mod sessions;
mod streams;
mod vectors;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use vectors::Vectors;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let vectors = Vectors::read(&root.join("../tests/vectors"))?;
    let frames = vectors.frames();
    let seeds = Seeds {
        root: root.join("seeds"),
    };
    seeds.write("frame", streams::streams(&frames))?;
    seeds.write("payload", streams::bodies(&frames))?;
    seeds.write("websocket", streams::websocket_streams(&frames))?;
    seeds.write("repair", streams::repair_streams(&frames))?;
    seeds.write("encode_decode", decisions::values(&frames))?;
    seeds.write("connection_ops", sessions::of_connections(&vectors))?;
    seeds.write("client_ops", sessions::of_clients(&vectors))?;
    Ok(())
}

struct Seeds {
    root: PathBuf,
}

impl Seeds {
    fn write(&self, target: &str, inputs: Vec<Vec<u8>>) -> io::Result<()> {
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

/// Inputs of decisions at random, from a small generator (xorshift): what lies
/// beside the ways of real sessions.
fn random(target: &str, count: usize) -> Vec<Vec<u8>> {
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
    (0..count)
        .map(|index| (0..60 + 50 * index).map(|_| next()).collect())
        .collect()
}
