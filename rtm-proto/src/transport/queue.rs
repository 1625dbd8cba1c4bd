//! A queue of bytes that gives its memory back.

use alloc::collections::BTreeMap;

use bytes::{Buf, Bytes, BytesMut};

/// Memory kept while nothing is queued. A peer at rest costs no more; a busy one allocates once per
/// burst instead of once per package.
const KEEP: usize = 2048;

/// The largest room made ahead of what is asked for.
const MAX_AHEAD: usize = 64 * 1024;

/// Withdrawn bytes up to here, or up to as many as are still to leave, keep their memory until their
/// turn comes: giving back less than half of a queue would cost more than it brings.
const MAX_WITHDRAWN: usize = 64 * 1024;

/// The encoder did not append what it announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// Bytes it did append.
    pub(super) written: usize,
    /// False when it touched what had been queued before: the queue cannot be trusted any more.
    pub(super) intact: bool,
}

/// Bytes in the order in which they leave, with counts since the beginning.
#[derive(Debug, Default)]
pub(super) struct ByteQueue {
    bytes: BytesMut,
    queued: u64,
    handed_out: u64,
    /// What was withdrawn and will not leave, by the count where it starts; no two of them touch.
    holes: BTreeMap<u64, Hole>,
    /// Bytes of the holes that are still held.
    withdrawn: usize,
    /// Count up to which bytes may leave; none is a limit that is not there.
    gate: Option<u64>,
    /// Bytes appended since the queue was last empty.
    burst: usize,
    /// The burst before: the size of the next allocation.
    last_burst: usize,
    /// The largest room asked for since the memory was last given back.
    room: usize,
}

#[derive(Clone, Copy, Debug)]
struct Hole {
    /// The count where it ends.
    end: u64,
    /// Bytes of it that are still held.
    held: usize,
}

impl ByteQueue {
    pub(super) fn queued(&self) -> u64 {
        self.queued
    }

    pub(super) fn handed_out(&self) -> u64 {
        self.handed_out
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Number of bytes that are still to leave.
    pub(super) fn unsent(&self) -> usize {
        self.bytes.len().saturating_sub(self.withdrawn)
    }

    /// Takes back what was queued from the count `start` to `end`, unless a part of it has left.
    ///
    /// The bytes are passed over when their turn comes, so that this costs no more than a note, unless
    /// most of what is held was withdrawn.
    pub(super) fn withdraw(&mut self, start: u64, end: u64) {
        let is_known = self
            .hole_before(end)
            .is_some_and(|(_, hole)| hole.end > start);
        if start < self.handed_out || start >= end || end > self.queued || is_known {
            return;
        }
        let held = span(start, end);
        self.withdrawn = self.withdrawn.saturating_add(held);
        self.dig(start, Hole { end, held });
        self.skip_holes();
        if self.withdrawn > self.unsent().max(MAX_WITHDRAWN) {
            self.fill_holes();
        }
    }

    /// The last hole that starts before `count`.
    fn hole_before(&self, count: u64) -> Option<(u64, Hole)> {
        let (start, hole) = self.holes.range(..count).next_back()?;
        Some((*start, *hole))
    }

    /// Adds a hole, as one with those that it touches: what expires in a row costs one note.
    fn dig(&mut self, start: u64, mut hole: Hole) {
        if let Some(next) = self.holes.remove(&hole.end) {
            hole.end = next.end;
            hole.held += next.held;
        }
        match self
            .hole_before(start)
            .filter(|(_, before)| before.end == start)
        {
            Some((first, before)) => {
                hole.held += before.held;
                self.holes.insert(first, hole);
            }
            None => {
                self.holes.insert(start, hole);
            }
        }
    }

    /// Gives back the memory of what was withdrawn; the counts stay.
    fn fill_holes(&mut self) {
        let mut kept = BytesMut::with_capacity(self.unsent());
        let mut rest = core::mem::take(&mut self.bytes);
        let mut at = self.handed_out;
        for (start, hole) in &mut self.holes {
            let between = span(at, *start).min(rest.len());
            kept.extend_from_slice(&rest.split_to(between));
            rest.advance(hole.held.min(rest.len()));
            hole.held = 0;
            at = hole.end;
        }
        kept.extend_from_slice(&rest);
        self.bytes = kept;
        self.withdrawn = 0;
    }

    /// Lets what is queued by now leave, and holds back what is queued from now on.
    #[cfg(feature = "websocket")]
    pub(super) fn hold_what_follows(&mut self) {
        self.gate = Some(self.queued);
    }

    /// Lets everything leave.
    #[cfg(feature = "websocket")]
    pub(super) fn release(&mut self) {
        self.gate = None;
    }

    /// Number of bytes that may leave now.
    pub(super) fn ready(&self) -> usize {
        let hole = self.holes.first_key_value().map(|(start, _)| *start);
        let ends = [self.gate, hole].into_iter().flatten();
        ends.map(|end| span(self.handed_out, end))
            .fold(self.bytes.len(), usize::min)
    }

    /// Appends the `len` bytes that `encode` writes.
    pub(super) fn append(
        &mut self,
        len: usize,
        encode: impl FnOnce(&mut BytesMut),
    ) -> Result<(), Mismatch> {
        let before = self.bytes.len();
        self.make_room(len);
        encode(&mut self.bytes);
        match self.bytes.len().checked_sub(before) {
            Some(written) if written == len => {
                self.count(len);
                Ok(())
            }
            Some(written) => {
                self.bytes.truncate(before);
                Err(Mismatch {
                    written,
                    intact: true,
                })
            }
            None => Err(Mismatch {
                written: 0,
                intact: false,
            }),
        }
    }

    /// Appends `bytes`.
    #[cfg(feature = "std")]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.bytes.extend_from_slice(bytes);
        self.count(bytes.len());
    }

    /// Hands out up to `max` bytes.
    pub(super) fn take(&mut self, max: usize) -> Option<Bytes> {
        let len = self.ready().min(max);
        if len == 0 {
            return None;
        }
        let piece = self.bytes.split_to(len);
        self.counted_out(len);
        Some(piece.freeze())
    }

    /// The next up to `max` bytes that may leave, left in place.
    #[cfg(feature = "tls")]
    pub(super) fn front(&self, max: usize) -> &[u8] {
        let len = self.ready().min(max);
        self.bytes.get(..len).unwrap_or_default()
    }

    /// Hands out the first `len` bytes, which somebody has copied from [`front`](Self::front).
    #[cfg(feature = "tls")]
    pub(super) fn advance(&mut self, len: usize) {
        let len = len.min(self.bytes.len());
        self.bytes.advance(len);
        self.counted_out(len);
    }

    fn make_room(&mut self, len: usize) {
        if self.bytes.capacity() - self.bytes.len() >= len {
            return;
        }
        let ahead = if self.bytes.is_empty() {
            self.last_burst.min(MAX_AHEAD)
        } else {
            0
        };
        let room = len.max(ahead);
        self.bytes.reserve(room);
        self.room = self.room.max(self.bytes.len() + room);
    }

    fn count(&mut self, len: usize) {
        self.queued += len as u64;
        self.burst = self.burst.saturating_add(len);
    }

    fn counted_out(&mut self, len: usize) {
        self.handed_out += len as u64;
        self.skip_holes();
    }

    /// Passes over what was withdrawn and has its turn.
    fn skip_holes(&mut self) {
        while let Some(hole) = self.holes.remove(&self.handed_out) {
            let len = hole.held.min(self.bytes.len());
            self.bytes.advance(len);
            self.withdrawn = self.withdrawn.saturating_sub(len);
            self.handed_out = hole.end;
        }
        if self.bytes.is_empty() {
            self.last_burst = self.burst;
            self.burst = 0;
            if self.room > KEEP {
                self.bytes = BytesMut::new();
                self.room = 0;
            }
        }
    }
}

/// From one count to another; zero if that is smaller.
fn span(start: u64, end: u64) -> usize {
    usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX)
}

#[cfg(feature = "std")]
impl std::io::Write for ByteQueue {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.extend(bytes);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
        self.make_room(slices.iter().map(|slice| slice.len()).sum());
        for slice in slices {
            self.extend(slice);
        }
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn put(queue: &mut ByteQueue, bytes: &[u8]) {
        queue
            .append(bytes.len(), |buffer| buffer.extend_from_slice(bytes))
            .unwrap();
    }

    /// A peer that does not read must not make callers whose time runs out
    /// fill the memory.
    #[test]
    fn what_was_withdrawn_gives_its_memory_back_while_the_front_waits() {
        const LEN: usize = 10_000;
        let mut queue = ByteQueue::default();
        put(&mut queue, b"front");
        assert_eq!(queue.take(1).as_deref(), Some(&b"f"[..]));
        let mut last = queue.queued();
        for round in 0..1000_u32 {
            put(&mut queue, &[round as u8; LEN]);
            if round % 100 == 50 {
                put(&mut queue, b"stays");
            }
            queue.withdraw(last, last + LEN as u64);
            last = queue.queued();
            let held = queue.bytes.capacity();
            assert!(held <= 4 * MAX_WITHDRAWN, "{held} bytes in round {round}");
            assert!(queue.holes.len() <= 11, "in round {round}");
        }
        assert_eq!(queue.unsent(), 4 + 10 * 5);
        let mut left = Vec::new();
        while let Some(piece) = queue.take(7) {
            left.extend_from_slice(&piece);
        }
        assert_eq!(left, [&b"ront"[..], &b"stays".repeat(10)].concat());
        assert_eq!(queue.handed_out(), queue.queued());
    }

    #[test]
    fn what_is_withdrawn_never_leaves_and_counts_as_handed_out_once_passed() {
        let mut queue = ByteQueue::default();
        for piece in [&b"aa"[..], b"bbb", b"cc", b"ddd"] {
            queue
                .append(piece.len(), |out| out.extend_from_slice(piece))
                .unwrap();
        }
        assert_eq!(queue.take(1).as_deref(), Some(&b"a"[..]));
        queue.withdraw(0, 2);
        queue.withdraw(5, 7);
        queue.withdraw(2, 5);
        queue.withdraw(2, 5);
        assert_eq!((queue.unsent(), queue.ready()), (4, 1));
        assert_eq!(queue.take(100).as_deref(), Some(&b"a"[..]));
        assert_eq!(queue.handed_out(), 7);
        queue.withdraw(7, 10);
        assert_eq!(queue.take(100), None);
        assert!(queue.is_empty());
        assert_eq!(
            (queue.handed_out(), queue.queued(), queue.unsent()),
            (10, 10, 0)
        );
    }

    #[test]
    fn bytes_leave_in_order_in_pieces_of_the_size_asked_for() {
        let mut queue = ByteQueue::default();
        put(&mut queue, b"abc");
        put(&mut queue, b"def");
        assert_eq!(queue.take(4).as_deref(), Some(&b"abcd"[..]));
        assert_eq!((queue.queued(), queue.handed_out()), (6, 4));
        assert_eq!(queue.take(4).as_deref(), Some(&b"ef"[..]));
        assert_eq!(queue.take(4), None);
    }

    #[test]
    fn an_encoder_of_the_wrong_length_leaves_nothing_behind() {
        let mut queue = ByteQueue::default();
        put(&mut queue, b"abc");
        let short = queue.append(3, |buffer| buffer.extend_from_slice(b"x"));
        assert_eq!(
            short,
            Err(Mismatch {
                written: 1,
                intact: true
            })
        );
        let long = queue.append(3, |buffer| buffer.extend_from_slice(b"wxyz"));
        assert_eq!(
            long,
            Err(Mismatch {
                written: 4,
                intact: true
            })
        );
        let wild = queue.append(3, BytesMut::clear);
        assert_eq!(
            wild,
            Err(Mismatch {
                written: 0,
                intact: false
            })
        );
        assert_eq!(queue.queued(), 3);
    }

    #[test]
    fn a_large_burst_leaves_no_memory_behind() {
        let mut queue = ByteQueue::default();
        for len in [100_000, 10, 3000, 10] {
            put(&mut queue, &vec![7; len]);
            while queue.take(64 * 1024).is_some() {}
            assert!(queue.bytes.capacity() <= KEEP, "after {len}");
        }
    }

    #[test]
    fn a_burst_as_large_as_the_one_before_does_not_grow_its_buffer() {
        let mut queue = ByteQueue::default();
        let mut capacities = Vec::new();
        for _ in 0..2 {
            (0..64).for_each(|_| {
                put(&mut queue, &[7; 200]);
                capacities.push(queue.bytes.capacity());
            });
            queue.take(usize::MAX).unwrap();
        }
        assert!(capacities[0] < 64 * 200);
        assert!(
            capacities[64..]
                .iter()
                .all(|&capacity| capacity >= 64 * 200)
        );
    }

    #[test]
    fn a_small_queue_works_in_the_same_memory_again_and_again() {
        let mut queue = ByteQueue::default();
        put(&mut queue, &[7; 200]);
        queue.take(1000).unwrap();
        for _ in 0..1000 {
            put(&mut queue, &[7; 200]);
            assert!(queue.bytes.capacity() <= 2 * KEEP);
            assert_eq!(queue.take(1000).unwrap().len(), 200);
        }
    }

    /// A package as a plain list sees it.
    struct Package {
        start: u64,
        bytes: Vec<u8>,
        withdrawn: bool,
    }

    /// Appends, withdraws and takes at random; what leaves is what a plain list
    /// of packages says, whatever was given back in between.
    #[test]
    fn what_leaves_is_what_was_not_withdrawn_in_time() {
        for seed in 0..60 {
            let mut random = crate::random::Random::new(seed);
            let mut below = |limit: u64| random.next() % limit;
            let (mut queue, mut packages) = (ByteQueue::default(), Vec::<Package>::new());
            let mut left = Vec::new();
            for n in 0..400_u64 {
                match below(4) {
                    0 | 1 => {
                        let len = 1 + below(if seed % 2 == 0 { 5_000 } else { 30 });
                        let bytes = vec![n as u8; len as usize];
                        let start = queue.queued();
                        put(&mut queue, &bytes);
                        let withdrawn = false;
                        packages.push(Package {
                            start,
                            bytes,
                            withdrawn,
                        });
                    }
                    2 if !packages.is_empty() => {
                        let index = below(packages.len() as u64) as usize;
                        let package = &mut packages[index];
                        package.withdrawn |= queue.handed_out() <= package.start;
                        queue.withdraw(package.start, package.start + package.bytes.len() as u64);
                    }
                    _ => left.extend(queue.take(below(3_000) as usize).into_iter().flatten()),
                }
                let waits: usize = packages
                    .iter()
                    .filter(|package| !package.withdrawn)
                    .map(|package| package.bytes.len())
                    .sum();
                assert_eq!(queue.unsent(), waits - left.len(), "seed {seed}");
                assert!(queue.bytes.len() <= 2 * queue.unsent() + MAX_WITHDRAWN);
            }
            while let Some(piece) = queue.take(1_000) {
                left.extend(piece);
            }
            let stayed = packages.iter().filter(|package| !package.withdrawn);
            let expected: Vec<u8> = stayed.flat_map(|package| package.bytes.clone()).collect();
            assert!(left == expected, "seed {seed}");
            assert_eq!(queue.handed_out(), queue.queued());
        }
    }
}
