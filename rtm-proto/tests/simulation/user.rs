//! A client, what its application wants, and what must be true of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rtm_proto::api::{EnterRoom, LeaveRoom, SendFile, SendMessage};
use rtm_proto::error::{Cause, LostReason, RequestError, RequestErrorKind};
use rtm_proto::payload::Payload;
use rtm_proto::{
    CallId, Client, ConnId, Event, Instant, MessageType, Request, RequestOptions, State, UserId,
};

use crate::dice::Dice;
use crate::own::Own;

/// An end may be handled that much after a deadline: wake-ups can be late.
pub(crate) const LATE: Duration = Duration::from_millis(50);

/// A call that has not ended.
#[derive(Debug)]
struct Open {
    deadline: Instant,
    wish: Wish,
}

/// What holds for a text on a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    /// It comes behind the answers to pushes up to this.
    pub(crate) pushes_before: u32,
    /// It comes behind the rooms that are entered again.
    pub(crate) after_restoring: bool,
}

/// What the application knows or wants.
pub(crate) enum News {
    Entered(i64),
    Left(i64),
    LostRoom(i64),
    Text { text: String, waits: bool },
}

/// What a call was for.
#[derive(Clone, Debug)]
enum Wish {
    /// A text that may arrive or not.
    Text(String),
    /// A text that is sent again until it has arrived.
    SureText(String),
    Enter {
        room: i64,
        taken_back: bool,
    },
    Leave,
}

pub(crate) struct User {
    pub(crate) client: Client,
    pub(crate) number: usize,
    pub(crate) wake_at: Option<Instant>,
    /// A kickout was reported, and nobody has logged in since.
    pub(crate) kicked: bool,
    /// The session was, or is being, ended for good.
    leaving: bool,
    /// The client may keep little that its peer does not take.
    pub(crate) is_tight: bool,
    open: BTreeMap<CallId, Open>,
    /// Rooms the application knows it is in, in the order of entering.
    pub(crate) rooms: Vec<i64>,
    /// Rooms it cannot know about.
    pub(crate) unsure_rooms: BTreeSet<i64>,
    /// Rooms it was thrown out of while it was entering.
    pub(crate) shaken_rooms: BTreeSet<i64>,
    /// Since that was last looked at.
    pub(crate) news: Vec<News>,
    /// What was true of sessions when a text was called for.
    promises: BTreeMap<String, Vec<(ConnId, Promise)>>,
    /// Ids of pushed messages that were delivered.
    delivered: BTreeSet<i64>,
    /// The last connection that delivered, and how far it was.
    last_push: (u64, u32),
    /// Texts that the client says have arrived, and those it says have not.
    pub(crate) arrived: Vec<String>,
    pub(crate) never_sent: Vec<String>,
    texts: u32,
    pub(crate) tally: Tally,
}

/// What a run came to; so that it cannot pass by doing nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) logins: u32,
    pub(crate) answered: u32,
    pub(crate) failed: u32,
    pub(crate) sure_texts: u32,
    pub(crate) messages: u32,
    pub(crate) kickouts: u32,
    pub(crate) thrown_out: u32,
    pub(crate) not_reading: u32,
    pub(crate) no_room: u32,
    pub(crate) restored: u32,
    pub(crate) pushes: u32,
}

impl User {
    pub(crate) fn new(client: Client, number: usize) -> Self {
        User {
            client,
            number,
            wake_at: None,
            kicked: false,
            leaving: false,
            is_tight: false,
            open: BTreeMap::new(),
            rooms: Vec::new(),
            unsure_rooms: BTreeSet::new(),
            shaken_rooms: BTreeSet::new(),
            news: Vec::new(),
            promises: BTreeMap::new(),
            delivered: BTreeSet::new(),
            last_push: (0, 0),
            arrived: Vec::new(),
            never_sent: Vec::new(),
            texts: 0,
            tally: Tally::default(),
        }
    }

    pub(crate) fn login(&mut self, now: Instant) {
        self.kicked = false;
        self.client.login(now);
    }

    /// Does something that applications do.
    pub(crate) fn act(&mut self, now: Instant, dice: &mut Dice) {
        match dice.roll(30) {
            0..=5 => self.send_surely(now),
            6..=11 => self.send(now, dice),
            12..=13 => self.send_file(now),
            14..=16 | 24..=29 => self.enter(now, dice.roll(6) as i64 + 1),
            17..=18 => self.leave(now, dice.roll(6) as i64 + 1),
            19 => self.cancel(dice),
            20 => self
                .client
                .handle_input(now, rtm_proto::Input::NetworkChanged),
            21 if dice.one_in(4) => self.logout(now),
            _ => self.login(now),
        }
    }

    fn logout(&mut self, now: Instant) {
        self.leaving = true;
        self.client.logout(now);
    }

    fn next_text(&mut self) -> String {
        self.texts += 1;
        format!("{} of {}", self.texts, self.number)
    }

    fn news_of_text(&mut self, text: &str, waits: bool) {
        let text = text.into();
        self.news.push(News::Text { text, waits });
    }

    /// Tries so often, and has so much time, that it must arrive.
    fn send_surely(&mut self, now: Instant) {
        if self.client.state().is_closed() || *self.client.state() == State::Closing {
            return;
        }
        let text = self.next_text();
        let limit = Duration::from_secs(1200);
        let options = RequestOptions::default()
            .wait_online(true)
            .resend_on_loss(40)
            .timeout(limit);
        let request = SendMessage::chat(UserId(1), text.as_str());
        self.news_of_text(&text, true);
        self.call(now, &request, options, limit, Wish::SureText(text));
    }

    fn send(&mut self, now: Instant, dice: &mut Dice) {
        let mut text = self.next_text();
        if dice.one_in(80) {
            // More than a client hands out at once.
            text += &" ".repeat(60_000 + dice.roll(60_000) as usize);
        }
        let limit = Duration::from_millis(100 + dice.roll(10_000));
        let waits = dice.one_in(2);
        let options = RequestOptions::default()
            .wait_online(waits)
            .resend_on_loss(dice.roll(3) as u8)
            .timeout(limit);
        let request = SendMessage::chat(UserId(1), text.as_str());
        self.news_of_text(&text, waits);
        self.call(now, &request, options, limit, Wish::Text(text));
    }

    fn send_file(&mut self, now: Instant) {
        let text = self.next_text();
        let options = RequestOptions::default().resend_on_loss(1);
        let request = SendFile::new(UserId(1), MessageType(40), text.clone().into_bytes());
        let limit = Duration::from_secs(120);
        self.call(now, &request, options, limit, Wish::Text(text));
    }

    fn enter(&mut self, now: Instant, room: i64) {
        let limit = Duration::from_secs(20);
        let wish = Wish::Enter {
            room,
            taken_back: false,
        };
        self.unsure_rooms.insert(room);
        self.call(
            now,
            &Own(EnterRoom::new(room)),
            RequestOptions::default(),
            limit,
            wish,
        );
    }

    fn leave(&mut self, now: Instant, room: i64) {
        let limit = Duration::from_secs(20);
        let before = self.open.len();
        self.call(
            now,
            &LeaveRoom::new(room),
            RequestOptions::default(),
            limit,
            Wish::Leave,
        );
        if self.open.len() == before {
            return;
        }
        self.forget_room(room, News::Left);
        for open in self.open.values_mut() {
            if let Wish::Enter {
                room: entered,
                taken_back,
            } = &mut open.wish
            {
                *taken_back |= *entered == room;
            }
        }
    }

    fn forget_room(&mut self, room: i64, how: fn(i64) -> News) {
        self.rooms.retain(|entered| *entered != room);
        self.unsure_rooms.insert(room);
        self.news.push(how(room));
    }

    fn thrown_out(&mut self, room: i64) {
        self.forget_room(room, News::LostRoom);
        let mut wishes = self.open.values().map(|open| &open.wish);
        if wishes.any(|wish| matches!(wish, Wish::Enter { room: entered, .. } if *entered == room))
        {
            self.shaken_rooms.insert(room);
        }
    }

    fn call<R: Request>(
        &mut self,
        now: Instant,
        request: &R,
        options: RequestOptions,
        limit: Duration,
        wish: Wish,
    ) {
        let deadline = now + limit;
        match self.client.request(now, request, options) {
            Ok(call) => {
                let before = self.open.insert(call, Open { deadline, wish });
                assert!(before.is_none(), "{call:?} came twice");
            }
            Err(error) => {
                let no_room = matches!(error.kind(), RequestErrorKind::Backpressure);
                self.tally.no_room += u32::from(no_room);
                self.tell_unsent(wish);
            }
        }
    }

    /// A call that was refused sent nothing.
    fn tell_unsent(&mut self, wish: Wish) {
        if let Wish::Text(text) | Wish::SureText(text) = wish {
            self.never_sent.push(text);
        }
    }

    fn cancel(&mut self, dice: &mut Dice) {
        let unsure = self.open.iter();
        let unsure = unsure.filter(|(_, open)| !matches!(open.wish, Wish::SureText(_)));
        let calls: Vec<CallId> = unsure.map(|(call, _)| *call).collect();
        if !calls.is_empty() {
            let call = calls[dice.roll(calls.len() as u64) as usize];
            self.client.cancel(call);
            self.open.remove(&call);
        }
    }

    pub(crate) fn ended(
        &mut self,
        now: Instant,
        call: CallId,
        result: Result<Payload, RequestError>,
    ) {
        let open = self
            .open
            .remove(&call)
            .expect("it ended before, or never began");
        assert!(
            now <= open.deadline + LATE,
            "{call:?} ended after its deadline"
        );
        match result {
            Ok(_) => self.succeeded(now, open),
            Err(error) => self.failed(open, error.kind()),
        }
    }

    fn succeeded(&mut self, now: Instant, open: Open) {
        assert!(now < open.deadline + LATE);
        self.tally.answered += 1;
        match open.wish {
            Wish::Text(text) => self.arrived.push(text),
            Wish::SureText(text) => {
                self.tally.sure_texts += 1;
                self.arrived.push(text);
            }
            Wish::Enter {
                room,
                taken_back: false,
            } => {
                self.rooms.retain(|entered| *entered != room);
                self.rooms.push(room);
                self.news.push(News::Entered(room));
            }
            Wish::Enter { .. } | Wish::Leave => {}
        }
    }

    fn failed(&mut self, open: Open, kind: &RequestErrorKind) {
        self.tally.failed += 1;
        let may_have_left = match kind {
            RequestErrorKind::ConnectionLost { sent } => *sent,
            RequestErrorKind::TimedOut { sent } => *sent,
            RequestErrorKind::NotConnected | RequestErrorKind::Backpressure => false,
            RequestErrorKind::Server { .. } if matches!(open.wish, Wish::Enter { .. }) => true,
            // Only a file call's connections fail by themselves.
            RequestErrorKind::FileGate { .. } => true,
            kind => panic!("{kind:?} for {:?}", open.wish),
        };
        if let Wish::SureText(text) = &open.wish {
            // Only a client that was told to close gives up on it, or one that
            // finds no room to send it again.
            let state = self.client.state();
            let may_give_up = self.leaving || self.is_tight;
            assert!(may_give_up, "gave up on {text:?}: {kind:?} while {state}");
        }
        if !may_have_left {
            self.tell_unsent(open.wish);
        }
    }

    pub(crate) fn happened(&mut self, event: Event) {
        match event {
            Event::State(State::Online { .. }) => {
                self.leaving = false;
                self.tally.logins += 1;
            }
            // Another login starts afresh.
            Event::State(State::Closed { .. }) => self.rooms.clear(),
            Event::State(State::Backoff {
                cause: Cause::Lost(LostReason::PeerNotReading),
                ..
            }) => self.tally.not_reading += 1,
            Event::Message(message) => {
                let id = message.message_id.0;
                assert!(self.delivered.insert(id), "{id} was delivered twice");
                self.check_order(&message.attrs);
                self.tally.messages += 1;
            }
            Event::KickedOut(_) => {
                self.kicked = true;
                self.leaving = true;
                self.tally.kickouts += 1;
            }
            Event::RoomLost { room, .. } => self.forget_room(room.0, News::LostRoom),
            Event::KickedOutOfRoom(room) => {
                self.thrown_out(room.0);
                self.tally.thrown_out += 1;
            }
            Event::Undecodable { error, .. } => panic!("{error}"),
            _ => {}
        }
    }

    fn check_order(&mut self, attrs: &str) {
        let push = parse_attrs(attrs);
        assert!(push > self.last_push, "{push:?} after {:?}", self.last_push);
        self.last_push = push;
    }

    pub(crate) fn promise(&mut self, text: &str, conn: ConnId, promise: Promise) {
        let promises = self.promises.entry(text.into()).or_default();
        promises.push((conn, promise));
    }

    /// What holds for a text on a connection.
    pub(crate) fn promised(&self, text: &str, conn: ConnId) -> Promise {
        let mut promises = self.promises.get(text).into_iter().flatten();
        let promise = promises.find(|(of, _)| *of == conn);
        // It has waited if the session is younger.
        promise.map_or(
            Promise {
                pushes_before: 0,
                after_restoring: true,
            },
            |(_, promise)| *promise,
        )
    }

    /// Nothing is left to be told.
    pub(crate) fn check_rest(&self) {
        assert_eq!(self.client.in_flight(), self.open.len());
    }

    pub(crate) fn has_open_calls(&self) -> bool {
        !self.open.is_empty()
    }
}

/// On which connection a message came, and as which push of that.
pub(crate) fn parse_attrs(attrs: &str) -> (u64, u32) {
    let (conn, push) = attrs.split_once(' ').expect("two numbers");
    (conn.parse().unwrap(), push.parse().unwrap())
}
