//! How much memory a socket reads into.

use bytes::{Bytes, BytesMut};

const SMALLEST: usize = 4 * 1024;
/// A read brings at most this much.
const LARGEST: usize = 64 * 1024;
/// A read gets at least this part of the size to read into.
const LEAST_PART: usize = 4;
/// Reads in a row that fill less than a quarter before the size is halved.
const SMALL_READS: u8 = 8;

/// A buffer for reading from a socket: it starts at 4 KiB, grows up to 64 KiB
/// while reads fill it and shrinks again when they do not.
///
/// ```
/// use rtm_proto::handle::ReadBuffer;
///
/// let mut buffer = ReadBuffer::default();
/// let space = buffer.space();
/// assert!(space.capacity() >= 4096);
/// space.extend_from_slice(b"bytes from a socket");
/// assert_eq!(buffer.take(), "bytes from a socket");
/// ```
#[derive(Debug)]
pub struct ReadBuffer {
    buffer: BytesMut,
    size: usize,
    small_reads: u8,
}

impl Default for ReadBuffer {
    fn default() -> Self {
        ReadBuffer {
            buffer: BytesMut::new(),
            size: SMALLEST,
            small_reads: 0,
        }
    }
}

impl ReadBuffer {
    /// An empty buffer with room for the next read: what the last one left, or
    /// new memory if that is little.
    pub fn space(&mut self) -> &mut BytesMut {
        if self.buffer.capacity() < self.size / LEAST_PART {
            self.buffer.reserve(self.size);
        }
        &mut self.buffer
    }

    /// What was read, and how much is read next time follows from it.
    pub fn take(&mut self) -> Bytes {
        let data = self.buffer.split().freeze();
        if data.len() >= self.size {
            self.size = (self.size * 2).min(LARGEST);
            self.small_reads = 0;
        } else if data.len() < self.size / 4 && self.size > SMALLEST {
            self.small_reads += 1;
            if self.small_reads == SMALL_READS {
                self.size /= 2;
                self.small_reads = 0;
                self.buffer = BytesMut::new();
            }
        } else {
            self.small_reads = 0;
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn read(buffer: &mut ReadBuffer, len: usize) {
        let space = buffer.space();
        let len = len.min(space.capacity());
        space.resize(len, 0);
        buffer.take();
    }

    #[test]
    fn small_reads_share_memory_though_what_they_brought_is_kept() {
        let mut buffer = ReadBuffer::default();
        buffer.space();
        let room = buffer.buffer.capacity();
        let mut kept = Vec::new();
        while buffer.buffer.capacity() >= SMALLEST / LEAST_PART {
            let space = buffer.space();
            space.extend_from_slice(&[7; 100]);
            kept.push(buffer.take());
        }
        assert!(kept.len() * 100 > room / 2);
        assert!(buffer.space().capacity() >= SMALLEST);
    }

    #[test]
    fn full_reads_make_it_grow_and_small_ones_shrink() {
        let mut buffer = ReadBuffer::default();
        for _ in 0..10 {
            read(&mut buffer, usize::MAX);
        }
        assert_eq!(buffer.size, LARGEST);
        for _ in 0..8 * 4 {
            read(&mut buffer, 100);
        }
        assert_eq!(buffer.size, SMALLEST);
        assert!(buffer.space().capacity() < 2 * SMALLEST);
    }
}
