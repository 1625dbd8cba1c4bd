//! What a client says on one connection, read at its own end, where nothing
//! is lost: the rules about order hold to the byte.

use std::collections::VecDeque;

use bytes::Bytes;
use rtm_proto::frame::Frame;

use crate::service::{get, number};
use crate::user::Promise;
use crate::wire::Wire;

pub(crate) struct Watch {
    wire: Wire,
    /// Bytes that entered the way to the client, and that reached it.
    under_way: u64,
    reached: u64,
    /// Two-way pushes that have not reached the client, and where they end.
    coming: VecDeque<(u64, u32)>,
    /// Those that have and still want their answer.
    owed: VecDeque<u32>,
    last_reached: u32,
    /// The session of this connection has opened.
    pub(crate) is_online: bool,
    /// The rooms to enter again.
    to_restore: VecDeque<(i64, Turn)>,
    /// How many rooms were entered again, and pushes answered.
    pub(crate) restored: u32,
    pub(crate) answered: u32,
}

/// Whether a room is entered again when its turn comes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Must,
    May,
    MustNot,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Watch {
            wire: Wire::new(),
            under_way: 0,
            reached: 0,
            coming: VecDeque::new(),
            owed: VecDeque::new(),
            last_reached: 0,
            is_online: false,
            to_restore: VecDeque::new(),
            restored: 0,
            answered: 0,
        }
    }

    /// Bytes are on their way to the client; `two_way` is the number of the
    /// two-way push that they are.
    pub(crate) fn sent_down(&mut self, len: usize, two_way: Option<u32>) {
        self.under_way += len as u64;
        self.coming
            .extend(two_way.map(|push| (self.under_way, push)));
    }

    pub(crate) fn arrived(&mut self, len: usize) {
        self.reached += len as u64;
        while let Some((end, push)) = self.coming.front().copied() {
            if end > self.reached {
                return;
            }
            self.coming.pop_front();
            self.owed.push_back(push);
            self.last_reached = push;
        }
    }

    /// The last push that has reached the client.
    pub(crate) fn last_reached(&self) -> u32 {
        self.last_reached
    }

    /// All pushes up to number `push` that reached the client are answered.
    pub(crate) fn is_answered(&self, push: u32) -> bool {
        self.owed.front().is_none_or(|first| *first > push)
    }

    pub(crate) fn owes_nothing(&self) -> bool {
        self.owed.is_empty()
    }

    /// The session opens with these rooms to enter again.
    pub(crate) fn opened(&mut self, rooms: &[i64]) {
        self.is_online = true;
        self.to_restore = rooms.iter().map(|room| (*room, Turn::Must)).collect();
    }

    /// The user is out of a room; the client may have entered it again before
    /// that was told.
    pub(crate) fn lost(&mut self, room: i64) {
        self.turn_of(room, |_| Turn::May);
    }

    /// The user has left a room, while nothing else waited to be sent.
    pub(crate) fn left(&mut self, room: i64) {
        self.turn_of(room, |_| Turn::MustNot);
    }

    /// The user is in a room, perhaps after having left it.
    pub(crate) fn entered(&mut self, room: i64) {
        self.turn_of(room, |turn| match turn {
            Turn::Must => Turn::Must,
            Turn::May | Turn::MustNot => Turn::May,
        });
    }

    fn turn_of(&mut self, room: i64, change: impl Fn(Turn) -> Turn) {
        let turns = self.to_restore.iter_mut();
        turns
            .filter(|(of, _)| *of == room)
            .for_each(|(_, turn)| *turn = change(*turn));
    }

    pub(crate) fn is_restored(&self) -> bool {
        self.to_restore.iter().all(|(_, turn)| *turn != Turn::Must)
    }

    /// Nothing that has still to be told changes what is to be restored.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_online && self.to_restore.is_empty()
    }

    /// Reads what the client hands out; `promised` tells what a text's call
    /// was promised about this connection.
    pub(crate) fn read(&mut self, bytes: Bytes, promised: impl Fn(&str) -> Promise) {
        let (frames, _) = self.wire.feed(bytes);
        for frame in frames {
            let quest = match frame {
                Frame::Answer(answer) => {
                    self.answered(answer.seq, answer.status);
                    continue;
                }
                Frame::Quest(quest) => quest,
            };
            let body = || rmpv::decode::read_value(&mut &quest.payload.as_bytes()[..]).unwrap();
            match quest.method() {
                "enterroom" if get(&body(), "own").is_none() => {
                    self.entered_again(number(&body(), "rid"));
                }
                "sendmsg" => {
                    let body = body();
                    let text = get(&body, "msg").and_then(|text| text.as_str());
                    self.said(text.expect("a text"), &promised);
                }
                _ => {}
            }
        }
    }

    fn answered(&mut self, seq: u32, status: u8) {
        assert_eq!(status, 0, "the answer to push {seq}");
        self.answered += 1;
        let first = self.owed.pop_front();
        assert_eq!(first, Some(seq), "the answer to push {seq} is out of turn");
    }

    fn entered_again(&mut self, room: i64) {
        self.restored += 1;
        let again = "was entered again, but not in its turn";
        loop {
            let Some((next, turn)) = self.to_restore.pop_front() else {
                panic!("room {room} {again}");
            };
            if next == room {
                return assert_ne!(turn, Turn::MustNot, "{room} was left, and entered again");
            }
            let comes_before = turn == Turn::Must;
            assert!(!comes_before, "room {room} {again}: {next} comes before");
        }
    }

    fn said(&self, text: &str, promised: &impl Fn(&str) -> Promise) {
        let promise = promised(text);
        let pushes = promise.pushes_before;
        assert!(self.is_answered(pushes), "{text} before answer {pushes}");
        let waited = promise.after_restoring;
        assert!(!waited || self.is_restored(), "{text} before the rooms");
    }
}
