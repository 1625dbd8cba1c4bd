//! The methods, one file per area. Each file has a table of its methods; what is not in a table does not exist.

mod data;
mod file;
mod friend;
mod group;
mod history;
mod info;
mod language;
mod message;
mod room;
mod session;
mod testing;
mod unread;
mod user;

pub(crate) use file::receive as receive_file;
pub(crate) use message::{Message, Target, broadcast};
pub(crate) use room::expel;
pub(crate) use session::{auth, end_session, which};
pub(crate) use testing::{FeedPayload, feed};

use crate::conn::Conn;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::wire::Value;
use crate::world::{Session, User, World};
use std::sync::Arc;

/// What a method works with: the quest came from a logged-in connection.
pub(crate) struct Cx<'a> {
    pub(crate) service: &'a Service,
    pub(crate) world: &'a mut World,
    pub(crate) conn: &'a Arc<Conn>,
    pub(crate) uid: i64,
}

impl Cx<'_> {
    /// The asking user.
    fn user(&mut self) -> &mut User {
        self.world.users.entry(self.uid).or_default()
    }

    /// The session the quest came from.
    fn session(&mut self) -> Result<&mut Session, Refusal> {
        self.world
            .sessions
            .get_mut(&self.conn.number)
            .ok_or_else(|| Refusal::code(200022))
    }
}

/// A method: parameters in, result or refusal out.
pub(crate) type Handler = fn(&mut Cx<'_>, &Params<'_>) -> Result<Value, Refusal>;

/// The methods of one area.
type Table = &'static [(&'static str, Handler)];

const TABLES: &[Table] = &[
    session::METHODS,
    message::METHODS,
    group::METHODS,
    room::METHODS,
    friend::METHODS,
    user::METHODS,
    data::METHODS,
    info::METHODS,
    history::METHODS,
    unread::METHODS,
    language::METHODS,
    file::METHODS,
];

/// The method of this name, for a quest after login.
pub(crate) fn handler(method: &str) -> Option<Handler> {
    TABLES
        .iter()
        .copied()
        .flatten()
        .find(|(name, _)| *name == method)
        .map(|(_, handler)| *handler)
}

/// The answer that says no more than "done".
const DONE: Result<Value, Refusal> = Ok(Value::EMPTY);
