//! The service: it answers quests and remembers what arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use rmpv::Value;
use rtm_proto::frame::Quest;

use crate::dice::Dice;
use crate::wire::{answer, map};

/// What the service knows of one connection.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The user was let in here.
    pub(crate) welcomed: bool,
    /// The user said goodbye.
    pub(crate) left: bool,
    pub(crate) rooms: Vec<i64>,
    /// Pushes here so far.
    pub(crate) pushed: u32,
}

/// What one quest leads to.
pub(crate) struct Reaction {
    /// The answer and how long it takes; none is one that never comes.
    pub(crate) answer: Option<(Duration, Bytes)>,
    pub(crate) closes: bool,
}

#[derive(Default)]
pub(crate) struct Service {
    /// How often each text arrived as a message of its own.
    pub(crate) stored: BTreeMap<String, u32>,
    /// Message ids by sender.
    seen: BTreeSet<(usize, i64)>,
    /// Answers may be late or missing, logins redirected or dropped.
    pub(crate) is_troubled: bool,
    pub(crate) is_up: bool,
}

impl Service {
    pub(crate) fn new() -> Self {
        Service {
            is_up: true,
            ..Service::default()
        }
    }

    pub(crate) fn asked(
        &mut self,
        user: usize,
        session: &mut Session,
        quest: &Quest,
        dice: &mut Dice,
    ) -> Reaction {
        let seq = quest.seq.expect("all quests of the client are two-way");
        let body = rmpv::decode::read_value(&mut &quest.payload.as_bytes()[..]).unwrap();
        let answer = match quest.method() {
            "which" => answer(seq, 0, &map(&[("endpoint", "gate:1".into())])),
            "auth" => return self.login(seq, session, dice),
            "sendmsg" => self.store(seq, user, &body, "msg"),
            "sendfile" => self.store(seq, user, &body, "file"),
            "filetoken" => {
                let fields = [("token", "t".into()), ("endpoint", "gate:1".into())];
                answer(seq, 0, &map(&fields))
            }
            "enterroom" if self.is_troubled && dice.one_in(12) => answer(
                seq,
                1,
                &map(&[("code", 200_047.into()), ("ex", "too many".into())]),
            ),
            "enterroom" => {
                let room = number(&body, "rid");
                session.rooms.retain(|entered| *entered != room);
                session.rooms.push(room);
                answer(seq, 0, &map(&[]))
            }
            "leaveroom" => {
                let room = number(&body, "rid");
                session.rooms.retain(|entered| *entered != room);
                answer(seq, 0, &map(&[]))
            }
            "bye" => {
                session.left = true;
                answer(seq, 0, &map(&[]))
            }
            _ => answer(seq, 0, &map(&[])),
        };
        let is_missing = self.is_troubled && dice.one_in(24);
        let pause = match self.is_troubled && dice.one_in(4) {
            true => dice.below_ms(3000),
            false => dice.below_ms(5),
        };
        Reaction {
            answer: (!is_missing).then_some((pause, answer)),
            closes: self.is_troubled && dice.one_in(60),
        }
    }

    fn login(&mut self, seq: u32, session: &mut Session, dice: &mut Dice) -> Reaction {
        let kind = if self.is_troubled { dice.roll(20) } else { 19 };
        let body = match kind {
            0 => map(&[("ok", false.into()), ("gate", "gate:1".into())]),
            1 => map(&[("code", 20_001.into()), ("ex", "later".into())]),
            _ => map(&[("ok", true.into())]),
        };
        session.welcomed = kind > 2;
        let status = u8::from(kind == 1);
        // Pushes may come before the welcome.
        let pause = match self.is_troubled && dice.one_in(4) {
            true => dice.below_ms(1000),
            false => Duration::ZERO,
        };
        Reaction {
            answer: (kind != 2).then(|| (pause, answer(seq, status, &body))),
            closes: false,
        }
    }

    fn store(&mut self, seq: u32, user: usize, body: &Value, field: &str) -> Bytes {
        let mid = number(body, "mid");
        assert!(mid > 0, "a message without id");
        if !self.seen.insert((user, mid)) {
            let fields = [("code", 200_053.into()), ("ex", "duplicate".into())];
            return answer(seq, 1, &map(&fields));
        }
        let text = get(body, field).and_then(|text| text.as_slice());
        let text = String::from_utf8(text.expect("a body").to_vec()).expect("our own text");
        *self.stored.entry(text).or_default() += 1;
        answer(seq, 0, &map(&[("mtime", 1.into())]))
    }
}

pub(crate) fn get<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    let mut fields = body.as_map().expect("a map").iter();
    let found = fields.find(|(key, _)| key.as_str() == Some(name))?;
    Some(&found.1)
}

pub(crate) fn number(body: &Value, name: &str) -> i64 {
    get(body, name).and_then(Value::as_i64).expect("a number")
}
