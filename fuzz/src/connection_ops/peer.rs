//! The peer: takes what leaves, and sends what it likes.

use bytes::Bytes;
use rtm_proto::connection::ConnectionInput;
use rtm_proto::frame::Frame;
use rtm_proto::transport::TRANSMIT_MAX;

use super::Model;
use crate::wire;

impl Model<'_> {
    pub(super) fn transmit(&mut self) {
        for _ in 0..=self.source.below(4) {
            let Some(piece) = self.connection.poll_transmit() else {
                return;
            };
            assert!(!piece.is_empty() && piece.len() <= TRANSMIT_MAX);
            let (frames, reply) = self.wire.feed(piece);
            for frame in frames {
                if let Frame::Quest(quest) = frame {
                    let seq = quest.seq.expect("two-way");
                    assert!(self.seen.insert(seq), "{seq} is used again");
                    assert!(!self.unsent.contains(&seq), "{seq} left after its end");
                    self.arrived.push(seq);
                }
            }
            if !reply.is_empty() {
                self.receive_bytes(reply);
                if self.eager {
                    self.take_outputs();
                }
            }
        }
    }

    pub(super) fn receive(&mut self) {
        if !self.wire.is_open() {
            return;
        }
        let mut data = Vec::new();
        for _ in 0..=self.source.below(3) {
            let package = self.package();
            data.extend(self.wire.wrap(&package));
        }
        match self.source.below(16) {
            0 => data.truncate(usize::from(self.source.byte())),
            1 => {
                let at = self.source.below(data.len());
                data[at] = self.source.byte();
            }
            _ => {}
        }
        self.receive_bytes(data);
    }

    fn package(&mut self) -> Bytes {
        let kind = self.source.below(6);
        let seq = match self.arrived.pop() {
            Some(seq) if kind < 5 => seq,
            _ => self.source.byte().into(),
        };
        match self.source.below(8) {
            0..=3 => wire::answer(seq, 0, b"\x80"),
            4 => wire::error(seq, self.source.int()),
            5 => wire::answer(seq, self.source.byte(), &wire::map(&[("code", "x".into())])),
            6 => wire::push(Some(seq), "ping", b"\x80"),
            _ => wire::push(None, "pushmsg", b"\x80"),
        }
    }

    pub(super) fn receive_bytes(&mut self, data: Vec<u8>) {
        let (first, second) = data.split_at(self.source.below(data.len().min(255) + 1));
        for piece in [first, second] {
            self.input(ConnectionInput::Received(Bytes::copy_from_slice(piece)));
        }
    }
}
