//! Messages pushed back to back.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use rmpv::Value;

use super::link::Writer;
use super::websocket;
use crate::load::wire;

/// A write carries about this much.
const BATCH: usize = 64 << 10;
/// Message ids are unique in this process, lest clients take them for
/// repetitions; they begin where each takes nine bytes.
static NEXT_ID: AtomicU64 = AtomicU64::new(1 << 40);
/// Stands for the id until it is known.
const ID_MARK: u64 = 0x7e57_7e57_7e57_7e57;

/// Pushes `count` texts of `size` bytes.
pub(super) fn write(
    writer: &Writer,
    is_websocket: bool,
    count: u64,
    size: usize,
) -> io::Result<()> {
    let (push, head) = template(is_websocket, size);
    let mark = ID_MARK.to_be_bytes();
    let id_at = push.windows(mark.len()).position(|bytes| bytes == mark);
    let id_at = id_at.ok_or_else(|| io::Error::other("the push has no id"))?;
    let first_id = NEXT_ID.fetch_add(count, Ordering::Relaxed);
    let per_batch = (BATCH / push.len()).max(1) as u64;
    let mut batch = Vec::new();
    let mut done = 0;
    while done < count {
        let until = count.min(done + per_batch);
        batch.clear();
        for index in done..until {
            let at = batch.len();
            batch.extend_from_slice(&push);
            // Numbers may be used again once they wrap.
            wire::set_seq(&mut batch, at + head, (index as u32).wrapping_add(1));
            if let Some(id) = batch.get_mut(at + id_at..at + id_at + mark.len()) {
                id.copy_from_slice(&(first_id + index).to_be_bytes());
            }
        }
        writer.write(&batch)?;
        done = until;
    }
    Ok(())
}

/// A push, and how long its WebSocket head is.
fn template(is_websocket: bool, size: usize) -> (Vec<u8>, usize) {
    let body = wire::body(vec![
        ("from", Value::from(778_877)),
        ("mtype", Value::from(30)),
        ("mid", Value::from(ID_MARK)),
        ("msg", Value::from("p".repeat(size))),
        ("attrs", Value::from("")),
        ("mtime", Value::from(1_591_322_544_000_i64)),
    ]);
    let mut push = wire::quest("pushmsg", &body);
    let head = if is_websocket {
        websocket::head(push.len())
    } else {
        Vec::new()
    };
    let head_len = head.len();
    push.splice(0..0, head);
    (push, head_len)
}
