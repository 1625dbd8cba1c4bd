//! What a connection holds for a peer that does not read.

use std::collections::BTreeMap;

use bytes::Bytes;
use rtm_proto::connection::Connection;

/// Withdrawn bytes that may keep their memory, however little is unsent, and as
/// much again for what a growing buffer takes ahead.
const SPARE: usize = 2 * 64 * 1024;
/// What a queue takes ahead when it starts.
const AHEAD: usize = 64 * 1024;

/// The outgoing stream as the model knows it.
#[derive(Default)]
pub(super) struct Held {
    /// Where in it packages lie that were withdrawn, from their start to their
    /// end.
    holes: BTreeMap<u64, u64>,
    most_unsent: usize,
}

impl Held {
    pub(super) fn withdrawn(&mut self, start: u64, end: u64) {
        self.holes.insert(start, end);
    }

    /// Checks the count of unsent bytes; it is exact if nothing but packages of
    /// the model is queued.
    pub(super) fn check(&mut self, connection: &Connection<u32>, exact: bool) {
        let handed_out = connection.handed_out();
        self.holes = self.holes.split_off(&handed_out);
        let withdrawn: u64 = self.holes.iter().map(|(start, end)| end - start).sum();
        let expected = connection.position() - handed_out - withdrawn;
        let unsent = connection.unsent();
        if exact {
            assert_eq!(unsent as u64, expected, "unsent bytes are miscounted");
        } else {
            assert!(unsent as u64 <= expected, "withdrawn bytes count as unsent");
        }
    }

    /// To be told after every operation: how much memory is taken follows from
    /// how much was unsent at its time.
    pub(super) fn note_unsent(&mut self, unsent: usize) {
        self.most_unsent = self.most_unsent.max(unsent);
    }

    /// Checks the memory behind the first piece of the queue, once that is the
    /// last to use it.
    pub(super) fn check_memory(&self, piece: Bytes) {
        if let Ok(buffer) = piece.try_into_mut() {
            // As much again may be withdrawn, and a buffer doubles to grow.
            let allowed = 4 * self.most_unsent + SPARE + AHEAD;
            let held = buffer.capacity();
            assert!(held <= allowed, "{held} bytes are held for {allowed}");
        }
    }
}
