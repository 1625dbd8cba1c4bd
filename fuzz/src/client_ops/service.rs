//! What a service says on one connection.

use bytes::Bytes;
use rtm_proto::frame::Frame;

use crate::source::Source;
use crate::wire::{Wire, answer, error, map, push};

/// The service's end of one connection.
pub(super) struct Peer {
    wire: Wire,
    /// Quests that were not answered yet.
    owed: Vec<(u32, String)>,
}

impl Peer {
    pub(super) fn new() -> Self {
        Peer {
            wire: Wire::of_any_kind(),
            owed: Vec::new(),
        }
    }

    /// Takes bytes of the client; gives what the upgrade needs.
    pub(super) fn hear(&mut self, bytes: Bytes) -> Vec<u8> {
        let (frames, reply) = self.wire.feed(bytes);
        for frame in frames {
            if let Frame::Quest(quest) = frame {
                let seq = quest.seq.expect("all quests of the client are two-way");
                self.owed.push((seq, quest.method().into()));
            }
        }
        reply
    }

    /// Answers everything as a good service would.
    pub(super) fn answer_all(&mut self) -> Vec<u8> {
        let wire = &self.wire;
        let owed = std::mem::take(&mut self.owed);
        let answers = owed.iter().map(|(seq, method)| {
            let body = match method.as_str() {
                "auth" => map(&[("ok", true.into())]),
                "which" => map(&[("endpoint", "tcp://gate:1".into())]),
                "filetoken" => map(&[("token", "t".into()), ("endpoint", "tcp://file:1".into())]),
                _ => map(&[("mtime", 1.into())]),
            };
            wire.wrap(&answer(*seq, 0, &body))
        });
        answers.flatten().collect()
    }

    /// Sends one package of any kind.
    pub(super) fn say_something(&mut self, source: &mut Source<'_>) -> Vec<u8> {
        if !self.wire.is_open() {
            return source.some().to_vec();
        }
        let seq = match self.owed.pop() {
            Some((seq, _)) if source.below(4) > 0 => seq,
            _ => source.below(8) as u32,
        };
        let small = source.below(4) as i64;
        let package = match source.below(32) {
            0..=9 => answer(seq, 0, &map(&[("ok", true.into())])),
            10 => answer(seq, 0, &map(&[("ok", false.into())])),
            11 => answer(
                seq,
                0,
                &map(&[("ok", false.into()), ("gate", "gate:1".into())]),
            ),
            12 => error(seq, 200_053),
            13 => error(seq, 200_010),
            14 => error(seq, 200_024),
            15 => error(seq, source.int()),
            16 => answer(seq, 0, &map(&[("endpoint", "nonsense".into())])),
            17..=22 => push(Some(seq), "pushmsg", &message(small)),
            23 => push(None, "pushroommsg", &message(small)),
            24 => push(Some(seq), "pushgroupmsg", &map(&[])),
            25 => push(None, "kickoutroom", &map(&[("rid", small.into())])),
            26 => push(Some(seq), "kickout", &map(&[])),
            27 => push(Some(seq), "ping", &map(&[])),
            28 => answer(
                seq,
                0,
                &map(&[("token", "t".into()), ("endpoint", "file:1".into())]),
            ),
            29 => answer(seq, source.byte(), &map(&[("code", "x".into())])),
            _ => push(Some(seq), "what is this", &map(&[])),
        };
        self.wire.wrap(&package)
    }
}

fn message(id: i64) -> Vec<u8> {
    map(&[
        ("from", 1.into()),
        ("rid", 1.into()),
        ("mtype", 30.into()),
        ("mid", id.into()),
        ("msg", "x".into()),
    ])
}
