//! The calls of a client, from acceptance to their one end.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use bytes::Bytes;

use super::io::ConnId;
use crate::ids::RoomId;
use crate::request::{CallId, Context, Remembered};
use crate::time::Instant;

/// One accepted call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: MethodName,
    pub(super) context: Context,
    pub(super) deadline: Instant,
    pub(super) place: Place,
    /// Whether an earlier try was handed to the network.
    pub(super) sent: bool,
    /// Whether "duplicate message id" means that an earlier try arrived.
    pub(super) may_be_duplicate: bool,
    pub(super) tries_left: u8,
    /// The body, kept while the call waits or may be sent again.
    pub(super) held: Option<Bytes>,
    pub(super) remembered: Option<Box<Remembered>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Waiting,
    InFlight { conn: ConnId, seq: u32 },
}

impl Call {
    /// When the next try stops waiting for its answer: an equal share of what
    /// is left for each try that is left.
    pub(super) fn try_deadline(&self, now: Instant) -> Instant {
        if self.tries_left == 0 {
            return self.deadline;
        }
        now + (self.deadline - now) / (u32::from(self.tries_left) + 1)
    }
}

/// All calls, with an order for those that wait for a session.
#[derive(Debug, Default)]
pub(super) struct Calls {
    table: BTreeMap<CallId, Call>,
    waiting: BTreeSet<CallId>,
    waiting_deadlines: BTreeSet<(Instant, CallId)>,
    held_bytes: usize,
    next_id: u64,
}

impl Calls {
    pub(super) fn next_id(&mut self) -> CallId {
        self.next_id += 1;
        CallId(self.next_id)
    }

    pub(super) fn insert(&mut self, id: CallId, call: Call) {
        self.held_bytes += held_len(&call);
        if call.place == Place::Waiting {
            self.waiting.insert(id);
            self.waiting_deadlines.insert((call.deadline, id));
        }
        self.table.insert(id, call);
    }

    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        let call = self.table.remove(&id)?;
        self.held_bytes -= held_len(&call);
        if call.place == Place::Waiting {
            self.waiting.remove(&id);
            self.waiting_deadlines.remove(&(call.deadline, id));
        }
        Some(call)
    }

    /// The success of calls that enter `room` will change nothing.
    pub(super) fn forget_entering(&mut self, room: RoomId) {
        for call in self.table.values_mut() {
            if call.remembered.as_deref() == Some(&Remembered::EnteredRoom(room)) {
                call.remembered = None;
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    pub(super) fn first_waiting(&self) -> Option<CallId> {
        self.waiting.first().copied()
    }

    pub(super) fn first_expired_waiting(&self, now: Instant) -> Option<CallId> {
        let (deadline, id) = *self.waiting_deadlines.first()?;
        (deadline <= now).then_some(id)
    }

    pub(super) fn next_waiting_deadline(&self) -> Option<Instant> {
        self.waiting_deadlines
            .first()
            .map(|(deadline, _)| *deadline)
    }
}

fn held_len(call: &Call) -> usize {
    call.held.as_ref().map_or(0, Bytes::len)
}

/// A method's name, kept without an allocation if it is as short as those of
/// the service are.
#[derive(Clone, Debug)]
pub(super) enum MethodName {
    Inline { len: u8, bytes: [u8; 30] },
    Heap(String),
}

impl MethodName {
    pub(super) fn new(name: &str) -> Self {
        let mut bytes = [0; 30];
        match (bytes.get_mut(..name.len()), u8::try_from(name.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(name.as_bytes());
                MethodName::Inline { len, bytes }
            }
            _ => MethodName::Heap(name.into()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            MethodName::Inline { len, bytes } => bytes
                .get(..usize::from(*len))
                .and_then(|name| core::str::from_utf8(name).ok())
                .unwrap_or_default(),
            MethodName::Heap(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_names_of_any_length_are_kept_whole() {
        for len in [0, 1, 29, 30, 31, 255] {
            let name = "m".repeat(len);
            assert_eq!(MethodName::new(&name).as_str(), name);
        }
    }
}
