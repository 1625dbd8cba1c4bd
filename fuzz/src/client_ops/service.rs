//! What a service says on one connection, and what it hears there.

use bytes::Bytes;
use rmpv::Value;
use rtm_proto::frame::{Answer, Frame};

use super::pushes::{Pushes, Tag};
use super::talk::{Talk, field, read};
use crate::source::Source;
use crate::wire::{Wire, answer, error, map, push};

/// The number of the first quest of a client, which is `auth` at a gate.
const FIRST: u32 = 1;
/// "Already logged in on this connection".
const DUPLICATE_AUTH: i64 = 200_023;
const KNOWN_PUSHES: [&str; 7] = [
    "ping",
    "kickout",
    "kickoutroom",
    "pushmsg",
    "pushgroupmsg",
    "pushroommsg",
    "pushbroadcastmsg",
];

/// What a gate made of the client's `auth`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Auth {
    Open,
    Accepted,
    Refused,
}

/// The service's end of one connection.
pub(super) struct Peer {
    wire: Wire,
    /// Quests that were not answered yet.
    owed: Vec<(u32, String)>,
    /// All that the client was told arrived as it was meant.
    intact: bool,
    heard_auth: bool,
    auth: Auth,
    /// The answers that are due: number, and whether an error, with the tag of
    /// the push.
    due: Vec<(u32, bool, Option<Tag>)>,
    /// How many of these have come.
    answered: usize,
}

impl Peer {
    pub(super) fn new() -> Self {
        Peer {
            wire: Wire::of_any_kind(),
            owed: Vec::new(),
            intact: true,
            heard_auth: false,
            auth: Auth::Open,
            due: Vec::new(),
            answered: 0,
        }
    }

    pub(super) fn is_intact(&self) -> bool {
        self.intact
    }

    /// Whether the client may call itself online on this connection.
    pub(super) fn may_be_online(&self) -> bool {
        !self.intact || self.auth == Auth::Accepted
    }

    /// Whether a push needs no answer or has it.
    pub(super) fn has_answer_to(&self, tag: Tag) -> bool {
        let place = self.due.iter().position(|(_, _, of)| *of == Some(tag));
        place.is_none_or(|place| place < self.answered)
    }

    pub(super) fn has_all_answers(&self) -> bool {
        !self.intact || self.answered == self.due.len()
    }

    /// Takes bytes of the client; gives what the upgrade needs, and the ids of
    /// messages.
    pub(super) fn hear(&mut self, bytes: Bytes) -> (Talk, Vec<i64>) {
        let (frames, reply) = self.wire.feed(bytes);
        let mut messages = Vec::new();
        for frame in frames {
            match frame {
                Frame::Quest(quest) => {
                    let seq = quest.seq.expect("all quests of the client are two-way");
                    self.heard_auth |= quest.method() == "auth";
                    messages.extend(field(&quest, "mid").and_then(|id| id.as_i64()));
                    self.owed.push((seq, quest.method().into()));
                }
                Frame::Answer(answer) => self.hear_answer(&answer),
            }
        }
        (Talk::control(reply), messages)
    }

    /// Each two-way push is answered once, in the order of the wire.
    fn hear_answer(&mut self, answer: &Answer) {
        if self.intact {
            let due = self.due.get(self.answered).expect("an answer to nothing");
            assert_eq!((answer.seq, answer.status != 0), (due.0, due.1));
            self.answered += 1;
        }
    }

    /// What was said goes to the client.
    pub(super) fn tell(&mut self, talk: &Talk) {
        self.intact &= !talk.is_damaged;
        for (frame, tag) in &talk.packages {
            match frame {
                Frame::Answer(answer) if answer.seq == FIRST => self.tell_verdict(answer),
                Frame::Answer(_) => {}
                Frame::Quest(quest) => {
                    let is_unknown = !KNOWN_PUSHES.contains(&quest.method());
                    self.due
                        .extend(quest.seq.map(|seq| (seq, is_unknown, *tag)));
                }
            }
        }
    }

    /// The first answer to `auth` counts. One that comes before the question
    /// was heard may or may not be it.
    fn tell_verdict(&mut self, answer: &Answer) {
        let value = answer.payload.to_value().unwrap_or(Value::Nil);
        let fields = value.as_map().map_or(&[][..], |fields| fields);
        let has = |name: &str, wanted: Value| {
            let mut fields = fields.iter();
            fields.any(|(key, value)| key.as_str() == Some(name) && *value == wanted)
        };
        let accepts = match answer.status {
            0 => has("ok", true.into()),
            _ => has("code", DUPLICATE_AUTH.into()),
        };
        self.auth = match self.auth {
            Auth::Open if accepts => Auth::Accepted,
            Auth::Open if self.heard_auth => Auth::Refused,
            auth => auth,
        };
    }

    fn say(&self, package: Bytes, tag: Option<Tag>) -> Talk {
        Talk::package(self.wire.wrap(&package), package, tag)
    }

    /// Answers everything as a good service would.
    pub(super) fn answer_all(&mut self) -> Talk {
        let mut talk = Talk::default();
        for (seq, method) in std::mem::take(&mut self.owed) {
            let body = match method.as_str() {
                "auth" => map(&[("ok", true.into())]),
                "which" => map(&[("endpoint", "tcp://gate:1".into())]),
                "filetoken" => map(&[("token", "t".into()), ("endpoint", "tcp://file:1".into())]),
                _ => map(&[("mtime", 1.into())]),
            };
            talk.append(self.say(answer(seq, 0, &body), None));
        }
        talk
    }

    /// Sends a package that was recorded; an answer goes to the oldest quest.
    pub(super) fn repeat(&mut self, package: &[u8]) -> Talk {
        if !self.wire.is_open() {
            return Talk::default();
        }
        let mut package = package.to_vec();
        let Some(frame) = read(Bytes::copy_from_slice(&package)) else {
            return Talk::default();
        };
        if matches!(frame, Frame::Answer(_)) && !self.owed.is_empty() {
            let (seq, _) = self.owed.remove(0);
            package[12..16].copy_from_slice(&seq.to_le_bytes());
        }
        self.say(package.into(), None)
    }

    /// So many pings of the WebSocket.
    pub(super) fn ping(&self, count: usize) -> Talk {
        match self.wire.is_websocket() {
            true => Talk::control(crate::wire::server_frame(0x89, &[b'p'; 125]).repeat(count)),
            false => Talk::default(),
        }
    }

    /// Sends one package of any kind.
    pub(super) fn say_something(&mut self, source: &mut Source<'_>, pushes: &mut Pushes) -> Talk {
        if !self.wire.is_open() {
            return Talk::noise(source.some());
        }
        let seq = match self.owed.pop() {
            Some((seq, _)) if source.below(4) > 0 => seq,
            _ => source.below(8) as u32,
        };
        let small = source.below(4) as i64;
        let kind = source.below(32);
        let tag = matches!(kind, 17..=24 | 26 | 30..).then(|| pushes.tag());
        let text = tag.map(Tag::text).unwrap_or_default();
        let mark = map(&[("tag", text.as_str().into())]);
        let package = match kind {
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
            17..=22 => push(Some(seq), "pushmsg", &message(small, &text)),
            23 => push(None, "pushroommsg", &message(small, &text)),
            24 => push(Some(seq), "pushgroupmsg", &mark),
            25 => push(None, "kickoutroom", &map(&[("rid", small.into())])),
            26 => push(Some(seq), "kickout", &mark),
            27 => push(Some(seq), "ping", &map(&[])),
            28 => answer(
                seq,
                0,
                &map(&[("token", "t".into()), ("endpoint", "file:1".into())]),
            ),
            29 => answer(seq, source.byte(), &map(&[("code", "x".into())])),
            _ => push(Some(seq), "what is this", &mark),
        };
        self.say(package, tag)
    }
}

fn message(id: i64, text: &str) -> Vec<u8> {
    map(&[
        ("from", 1.into()),
        ("rid", 1.into()),
        ("mtype", 30.into()),
        ("mid", id.into()),
        ("msg", text.into()),
    ])
}
