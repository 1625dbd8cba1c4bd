//! An open session: pushes, liveness, restoring, the goodbye.

use core::time::Duration;

use super::links::QuestKey;
use super::memory::Step;
use super::timers::Timer;
use super::uploads::server_error;
use super::{Client, ConnId, Phase, Session, State};
use crate::api::{EnterRoom, SetAttributes, SetTranslationLanguage};
use crate::connection::{ServerError, ServerQuest};
use crate::error::{Cause, ErrorCode, LoginStep, LostReason, RequestError, RequestErrorKind};
use crate::event::{Event, Push, decode_push};
use crate::ids::RoomId;
use crate::payload::{COPY_BELOW, Encoding, Payload, PayloadWriter};
use crate::request::{Context, Request};
use crate::transport::Scheme;

/// A session that lasts this long clears the failures before it.
const STABLE_AFTER: Duration = Duration::from_secs(10);
/// How long `bye` may take.
const GOODBYE_LIMIT: Duration = Duration::from_secs(5);
/// After this much silence on a byte stream the peer is asked with `*ping`.
const PROBE_AFTER: Duration = Duration::from_secs(20);
/// How long the peer may take to send anything after a `*ping`.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

impl Client {
    pub(super) fn go_online(&mut self, conn: ConnId) {
        let Some(link) = self.links.get(conn) else {
            return;
        };
        let gate = link.endpoint.clone();
        self.phase = Phase::Online { conn };
        self.login_succeeded(gate.clone());
        self.timers
            .set(Timer::Stable, self.clock.now + STABLE_AFTER);
        self.probe_sent = None;
        self.set_state(State::Online {
            session: Session { gate },
        });
        self.check_liveness();
        self.restoring = self.memory.steps();
        self.restore_next();
    }

    pub(super) fn session_lost(&mut self, reason: LostReason) {
        // The timer may be due and not handled yet.
        let now = self.clock.now;
        let stable_at = self.timers.next_of(Timer::Stable);
        if stable_at.is_some_and(|at| at > now) {
            self.count_unstable_session();
        } else {
            self.session_is_stable();
        }
        for timer in [Timer::Stable, Timer::Liveness] {
            self.timers.clear(timer);
        }
        self.restoring.clear();
        self.restoring_now = None;
        if !self.config.restore_rooms {
            self.memory.forget_rooms();
        }
        self.pause_or_close(Cause::Lost(reason), false);
    }

    pub(super) fn answered(
        &mut self,
        conn: ConnId,
        key: QuestKey,
        result: Result<Payload, ServerError>,
    ) {
        match key {
            QuestKey::Call(call) => self.call_answered(call, result),
            QuestKey::Lookup => self.lookup_answered(conn, result),
            QuestKey::Auth => self.auth_answered(conn, result),
            QuestKey::Bye => self.goodbye_ended(),
            QuestKey::Restore => self.restored(result.map(|_| ()).map_err(server_error)),
            QuestKey::FileToken(call) => self.file_token_answered(conn, call, result),
            QuestKey::KeepAlive => {}
        }
    }

    pub(super) fn expired(&mut self, conn: ConnId, key: QuestKey, sent: bool) {
        match key {
            QuestKey::Call(call) => self.call_expired(conn, call, sent),
            // The file itself was not sent.
            QuestKey::FileToken(call) => self.call_expired(conn, call, false),
            QuestKey::Lookup => self.login_quest_expired(conn, LoginStep::Lookup),
            QuestKey::Auth => self.login_quest_expired(conn, LoginStep::Auth),
            QuestKey::Bye => self.goodbye_ended(),
            QuestKey::Restore => self.restored(Err(RequestErrorKind::TimedOut { sent })),
            QuestKey::KeepAlive => {}
        }
    }

    /// The peer sent a quest. It is answered before anything else happens.
    pub(super) fn asked(&mut self, conn: ConnId, quest: &ServerQuest) {
        let push = decode_push(quest.method(), quest.payload());
        if let (Some(ticket), Some(link)) = (quest.ticket(), self.links.get_mut(conn)) {
            match push {
                Ok(Push::Unknown) => link.connection.answer_error(
                    ticket,
                    ErrorCode::CORE_UNKNOWN_METHOD,
                    "unknown method",
                ),
                _ => link.connection.answer_empty(ticket),
            }
        }
        match push {
            Ok(Push::Message(message)) => {
                if !self.dedup.is_duplicate(self.clock.now, &message) {
                    self.event(Event::Message(message));
                }
            }
            Ok(Push::Ping) => self.event(Event::Ping),
            Ok(Push::KickedOutOfRoom(room)) => {
                self.memory.forget_room(room);
                self.event(Event::KickedOutOfRoom(room));
            }
            Ok(Push::KickedOut) => self.kicked_out(conn, quest),
            Ok(Push::Unknown) => self.event(Event::Unknown {
                method: quest.method().into(),
                payload: kept(quest.payload()),
            }),
            Err(error) => self.event(Event::Undecodable {
                method: quest.method().into(),
                payload: kept(quest.payload()),
                error,
            }),
        }
    }

    /// Only the gate in use can end a session; the same word from a connection
    /// that is over already means nothing.
    fn kicked_out(&mut self, conn: ConnId, quest: &ServerQuest) {
        let in_use = match &self.phase {
            Phase::Online { conn: gate } | Phase::Closing { conn: gate, .. } => *gate == conn,
            Phase::Attempt(attempt) => attempt.conn == conn,
            _ => false,
        };
        if in_use {
            self.event(Event::KickedOut(kept(quest.payload())));
            self.close(Cause::KickedOut);
        }
    }

    pub(super) fn say_goodbye(&mut self, conn: ConnId) {
        let deadline = self.clock.now + GOODBYE_LIMIT;
        self.phase = Phase::Closing {
            conn,
            login_again: false,
        };
        self.timers.clear_all();
        self.timers.set(Timer::Logout, deadline);
        self.restoring.clear();
        self.restoring_now = None;
        self.set_state(State::Closing);
        self.end_waiting_calls();
        if let Some(link) = self.links.get_mut(conn) {
            // A plain FPNN service knows no `bye`; any of its answers will do.
            let method = if self.config.plain_fpnn {
                "*ping"
            } else {
                "bye"
            };
            let empty = Payload::empty(Encoding::MsgPack);
            let sent =
                link.connection
                    .urgent_quest(QuestKey::Bye, method, empty.as_bytes(), deadline);
            if sent.is_err() {
                self.close(Cause::LoggedOut);
            }
        }
    }

    fn goodbye_ended(&mut self) {
        // A kickout may have closed the client before.
        if matches!(self.phase, Phase::Closing { .. }) {
            self.close(Cause::LoggedOut);
        }
    }

    /// Looks whether the gate is still there, and when to look again.
    pub(super) fn check_liveness(&mut self) {
        let (Phase::Online { conn }, Some(limit)) = (&self.phase, self.config.max_ping_interval)
        else {
            return;
        };
        let conn = *conn;
        let Some(link) = self.links.get(conn) else {
            return;
        };
        let now = self.clock.now;
        let heard = link.last_received;
        let pushes_come = matches!(link.endpoint.scheme(), Some(Scheme::Ws | Scheme::Wss))
            && !self.config.plain_fpnn;
        let next_look = if pushes_come {
            heard + limit
        } else {
            match self.probe_sent {
                // Nothing was heard at the moment of asking, or nobody would
                // have asked: a byte of the same moment came later, on a clock
                // that is coarse.
                Some(asked) if heard < asked => asked + PROBE_LIMIT,
                _ => {
                    self.probe_sent = None;
                    heard + PROBE_AFTER
                }
            }
        };
        if next_look > now {
            self.timers.set(Timer::Liveness, next_look);
        } else if pushes_come || self.probe_sent.is_some() {
            self.give_up(conn, LostReason::Silent(now - heard));
        } else {
            self.probe(conn);
        }
    }

    fn probe(&mut self, conn: ConnId) {
        let now = self.clock.now;
        let deadline = now + PROBE_LIMIT;
        self.probe_sent = Some(now);
        self.timers.set(Timer::Liveness, deadline);
        if let Some(link) = self.links.get_mut(conn) {
            let empty = Payload::empty(Encoding::MsgPack);
            // Should it not go out, silence ends the connection all the same.
            let _ = link.connection.urgent_quest(
                QuestKey::KeepAlive,
                "*ping",
                empty.as_bytes(),
                deadline,
            );
        }
    }

    fn give_up(&mut self, conn: ConnId, reason: LostReason) {
        if let Some(link) = self.links.get_mut(conn) {
            link.connection.fail(reason);
            self.drain_link(conn);
        }
        // A peer that is not there takes no last bytes.
        self.drop_link(conn);
    }

    /// Sends the next thing to restore, or, when there is none, the calls that
    /// waited for it. One after the other, because a server works on quests
    /// concurrently and the order of rooms matters where a user may be in one
    /// only.
    fn restore_next(&mut self) {
        let Phase::Online { conn } = self.phase else {
            return;
        };
        while let Some(step) = self.restoring.pop_front() {
            let sent = match &step {
                Step::Room(room) if !self.memory.has_room(*room) => continue,
                Step::Room(room) => self.send_restore(conn, &EnterRoom::new(*room)),
                Step::Language(lang) => {
                    self.send_restore(conn, &SetTranslationLanguage::new(lang.clone()))
                }
                Step::Attributes(attrs) => {
                    self.send_restore(conn, &SetAttributes::new(attrs.clone()))
                }
            };
            self.restoring_now = Some(step);
            match sent {
                Ok(()) => return,
                Err(kind) => self.step_failed(kind),
            }
        }
        self.restoring_now = None;
        self.send_waiting_calls();
    }

    fn send_restore<R: Request>(
        &mut self,
        conn: ConnId,
        request: &R,
    ) -> Result<(), RequestErrorKind> {
        let context = Context {
            project_id: self.config.project_id,
            user_id: self.config.user_id,
            ..Context::default()
        };
        self.scratch.clear();
        let mut out = PayloadWriter::new(&mut self.scratch);
        request
            .encode(&context, &mut out)
            .map_err(|error| error.kind().clone())?;
        out.finish().map_err(RequestErrorKind::Encode)?;
        let deadline = self.clock.now + self.config.request_timeout;
        let link = self
            .links
            .get_mut(conn)
            .ok_or(RequestErrorKind::NotConnected)?;
        link.connection
            .urgent_quest(QuestKey::Restore, request.method(), &self.scratch, deadline)
            .map(|_| ())
            .map_err(|_| RequestErrorKind::NotConnected)
    }

    fn restored(&mut self, result: Result<(), RequestErrorKind>) {
        if let Err(kind) = result {
            self.step_failed(kind);
        }
        self.restoring_now = None;
        self.restore_next();
    }

    fn step_failed(&mut self, kind: RequestErrorKind) {
        let Some(step) = self.restoring_now.take() else {
            return;
        };
        match step {
            Step::Room(room) => self.room_lost(room, kind),
            Step::Language(_) => {
                self.event(Event::SettingLost(RequestError::new("setlang", kind)));
            }
            Step::Attributes(_) => {
                self.event(Event::SettingLost(RequestError::new("addattrs", kind)));
            }
        }
    }

    fn room_lost(&mut self, room: RoomId, kind: RequestErrorKind) {
        // A room left meanwhile is not lost.
        if self.memory.has_room(room) {
            self.memory.forget_room(room);
            let error = RequestError::new("enterroom", kind);
            self.event(Event::RoomLost { room, error });
        }
    }
}

/// A payload that the application may keep for long.
fn kept(payload: &Payload) -> Payload {
    let mut payload = payload.clone();
    if payload.as_bytes().len() < COPY_BELOW {
        payload.detach();
    }
    payload
}
