//! The sockets of a client.

use alloc::vec::Vec;

use super::io::{ConnId, Reason};
use crate::config::Endpoint;
use crate::connection::Connection;
use crate::request::CallId;
use crate::time::Instant;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Dispatch,
    Gate,
    /// One file of one call.
    File(CallId),
}

/// What a quest of ours was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuestKey {
    Lookup,
    Auth,
    Bye,
    KeepAlive,
    Restore,
    FileToken(CallId),
    Call(CallId),
}

/// One connection and its socket.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: ConnId,
    pub(super) role: Role,
    /// The real target, also when a proxy is between.
    pub(super) endpoint: Endpoint,
    pub(super) connection: Connection<QuestKey>,
    pub(super) connected: bool,
    pub(super) last_received: Instant,
    /// Set once the connection is over and only its last bytes still have to
    /// leave; the time is when they are given up.
    pub(super) draining: Option<Instant>,
}

impl Link {
    /// When something has to be done about the connection, and what.
    pub(super) fn deadline(&self) -> Option<(Instant, Reason)> {
        match self.draining {
            Some(until) => Some((until, Reason::Drain)),
            None => {
                let call = self.connection.next_deadline();
                call.map(|at| (at, Reason::Call))
            }
        }
    }
}

/// The few connections a client has at a time.
#[derive(Debug, Default)]
pub(super) struct Links {
    links: Vec<Link>,
    next_id: u64,
}

impl Links {
    pub(super) fn next_id(&mut self) -> ConnId {
        self.next_id += 1;
        ConnId(self.next_id)
    }

    pub(super) fn push(&mut self, link: Link) {
        self.links.push(link);
    }

    pub(super) fn get(&self, id: ConnId) -> Option<&Link> {
        self.links.iter().find(|link| link.id == id)
    }

    pub(super) fn get_mut(&mut self, id: ConnId) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.id == id)
    }

    pub(super) fn remove(&mut self, id: ConnId) -> Option<Link> {
        let index = self.links.iter().position(|link| link.id == id)?;
        Some(self.links.swap_remove(index))
    }

    /// A connection with something to do at `now`: a quest that expires, or
    /// last bytes to give up.
    pub(super) fn first_due(&self, now: Instant) -> Option<ConnId> {
        let due = |link: &&Link| link.deadline().is_some_and(|(at, _)| at <= now);
        self.links.iter().find(due).map(|link| link.id)
    }

    pub(super) fn ids(&self) -> Vec<ConnId> {
        self.links.iter().map(|link| link.id).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.iter()
    }
}
