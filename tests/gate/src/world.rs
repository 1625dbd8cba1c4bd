//! Everything the service remembers.

use crate::conn::Conn;
use crate::file_tokens::FileTokens;
use crate::files::Files;
use crate::history::History;
use crate::refusal::Refusal;
use md5::{Digest, Md5};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Message ids that are remembered to recognise a repeated one.
const MAX_MIDS: usize = 1 << 18;

/// The texts that users, groups and rooms carry.
#[derive(Debug, Default)]
pub(crate) struct Info {
    /// For everybody.
    pub(crate) open: String,
    /// For the user itself, the members, those inside.
    pub(crate) private: String,
}

/// What came while a user had no session.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    pub(crate) peers: BTreeSet<i64>,
    pub(crate) groups: BTreeSet<i64>,
}

/// A user, known since somebody made a token for it.
#[derive(Debug, Default)]
pub(crate) struct User {
    /// Every token that is accepted, the newest last.
    pub(crate) tokens: Vec<String>,
    pub(crate) banned: bool,
    pub(crate) language: String,
    pub(crate) info: Info,
    pub(crate) friends: BTreeSet<i64>,
    pub(crate) data: BTreeMap<String, String>,
    pub(crate) unread: Unread,
    /// Device token to application type.
    pub(crate) devices: BTreeMap<String, String>,
    /// The calls of the last second, while there is a rate limit.
    calls: VecDeque<Instant>,
}

impl User {
    /// Counts a call; refused when there were `limit` within the last second.
    pub(crate) fn count_call(&mut self, limit: usize) -> Result<(), Refusal> {
        let now = Instant::now();
        while self
            .calls
            .front()
            .is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1))
        {
            self.calls.pop_front();
        }
        if self.calls.len() >= limit {
            return Err(Refusal::code(200010));
        }
        self.calls.push_back(now);
        Ok(())
    }
}

/// A connection that logged in.
pub(crate) struct Session {
    pub(crate) conn: Arc<Conn>,
    pub(crate) user: i64,
    /// In the order of entering.
    pub(crate) rooms: Vec<i64>,
    pub(crate) attrs: BTreeMap<String, String>,
    pub(crate) login_ms: i64,
}

/// A group. It exists as soon as it has a member.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) members: BTreeSet<i64>,
    pub(crate) info: Info,
    pub(crate) muted: BTreeSet<i64>,
}

/// What outlives the sessions that are in a room.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pub(crate) info: Info,
    pub(crate) muted: BTreeSet<i64>,
}

/// Everything. Sessions hold on to connections; the rest is plain data.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) users: BTreeMap<i64, User>,
    pub(crate) sessions: BTreeMap<u64, Session>,
    by_user: HashMap<i64, Vec<u64>>,
    pub(crate) groups: BTreeMap<i64, Group>,
    pub(crate) rooms: BTreeMap<i64, Room>,
    pub(crate) history: History,
    pub(crate) file_tokens: FileTokens,
    pub(crate) files: Files,
    mids: HashSet<(i64, i64)>,
    mids_in_order: VecDeque<(i64, i64)>,
    tokens_made: u64,
    last_mid: i64,
}

impl World {
    /// A token of this user that is accepted; makes the user and the token where there is none.
    pub(crate) fn token(&mut self, uid: i64, salt: u64) -> String {
        self.tokens_made += 1;
        let fresh = format!("{uid}:{salt}:{}", self.tokens_made);
        let tokens = &mut self.users.entry(uid).or_default().tokens;
        if tokens.is_empty() {
            tokens.push(hex_upper(&Md5::digest(fresh)));
        }
        tokens.last().cloned().unwrap_or_default()
    }

    /// A message id for what the service sends itself: rises, and is near the time in ms.
    pub(crate) fn next_mid(&mut self, now_ms: i64) -> i64 {
        self.last_mid = now_ms.max(self.last_mid.saturating_add(1));
        self.last_mid
    }

    pub(crate) fn open_session(&mut self, session: Session) {
        let number = session.conn.number;
        self.by_user.entry(session.user).or_default().push(number);
        self.sessions.insert(number, session);
    }

    pub(crate) fn close_session(&mut self, number: u64) -> Option<Session> {
        let session = self.sessions.remove(&number)?;
        if let Some(numbers) = self.by_user.get_mut(&session.user) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.by_user.remove(&session.user);
            }
        }
        Some(session)
    }

    pub(crate) fn sessions_of(&self, uid: i64) -> impl Iterator<Item = &Session> {
        self.by_user
            .get(&uid)
            .into_iter()
            .flatten()
            .filter_map(|number| self.sessions.get(number))
    }

    pub(crate) fn is_online(&self, uid: i64) -> bool {
        self.by_user.contains_key(&uid)
    }

    /// The rooms that any session of the user is in.
    pub(crate) fn rooms_of(&self, uid: i64) -> BTreeSet<i64> {
        self.sessions_of(uid)
            .flat_map(|session| session.rooms.iter().copied())
            .collect()
    }

    /// Takes a message id; false if this sender used it before. 0 is no id.
    pub(crate) fn take_mid(&mut self, sender: i64, mid: i64) -> bool {
        if mid == 0 {
            return true;
        }
        if !self.mids.insert((sender, mid)) {
            return false;
        }
        self.mids_in_order.push_back((sender, mid));
        if self.mids_in_order.len() > MAX_MIDS
            && let Some(oldest) = self.mids_in_order.pop_front()
        {
            self.mids.remove(&oldest);
        }
        true
    }
}

/// Upper-case hex.
pub(crate) fn hex_upper(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stays_until_it_expires_and_differs_between_users() {
        let mut world = World::default();
        let token = world.token(1, 9);
        assert_eq!(world.token(1, 9), token);
        assert_ne!(world.token(2, 9), token);
        world.users.get_mut(&1).unwrap().tokens.clear();
        assert_ne!(world.token(1, 9), token);
    }

    #[test]
    fn message_ids_are_taken_once_per_sender() {
        let mut world = World::default();
        assert!(world.take_mid(1, 7));
        assert!(!world.take_mid(1, 7));
        assert!(world.take_mid(2, 7));
        assert!(world.take_mid(1, 0) && world.take_mid(1, 0));
    }

    #[test]
    fn the_memory_for_message_ids_is_bounded() {
        let mut world = World::default();
        for mid in 1..=MAX_MIDS as i64 + 1 {
            assert!(world.take_mid(1, mid));
        }
        assert!(world.take_mid(1, 1), "the oldest is forgotten");
        assert!(!world.take_mid(1, MAX_MIDS as i64));
    }

    #[test]
    fn calls_above_the_rate_are_refused() {
        let mut user = User::default();
        assert_eq!(user.count_call(2), Ok(()));
        assert_eq!(user.count_call(2), Ok(()));
        assert_eq!(user.count_call(2).unwrap_err().code, 200010);
    }
}
