//! The calls of a client, from acceptance to their one end.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;

use bytes::Bytes;

use super::io::ConnId;
use super::uploads::Transfer;
use crate::ids::{MessageId, RoomId};
use crate::request::{CallId, Context, Remembered};
use crate::tables::NumberedMap;
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
    /// The body, kept while the call waits or may be sent again. Boxed like
    /// what follows: few calls have any of it, and all are moved around.
    pub(super) held: Option<Box<Bytes>>,
    pub(super) remembered: Option<Box<Remembered>>,
    /// Set if the call sends a file.
    pub(super) transfer: Option<Box<Transfer>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Waiting,
    /// The connection for a file is being opened.
    Dialing {
        conn: ConnId,
        until: Instant,
    },
    InFlight {
        conn: ConnId,
        seq: u32,
    },
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
    table: NumberedMap<Call>,
    waiting: BTreeSet<CallId>,
    /// Deadlines of the calls that no connection keeps.
    deadlines: BTreeSet<(Instant, CallId)>,
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
        }
        if let Some(deadline) = own_deadline(&call) {
            self.deadlines.insert((deadline, id));
        }
        self.table.insert(id.0, call);
    }

    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        let call = self.table.remove(id.0)?;
        self.held_bytes -= held_len(&call);
        if call.place == Place::Waiting {
            self.waiting.remove(&id);
        }
        if let Some(deadline) = own_deadline(&call) {
            self.deadlines.remove(&(deadline, id));
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

    pub(super) fn place_of(&self, id: CallId) -> Option<Place> {
        self.table.get(id.0).map(|call| call.place)
    }

    pub(super) fn first_waiting(&self) -> Option<CallId> {
        self.waiting.first().copied()
    }

    pub(super) fn first_expired(&self, now: Instant) -> Option<CallId> {
        let (deadline, id) = *self.deadlines.first()?;
        (deadline <= now).then_some(id)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// The message id and the file of a call that sends one.
    pub(super) fn transfer_mut(&mut self, id: CallId) -> Option<(MessageId, &mut Transfer)> {
        let call = self.table.get_mut(id.0)?;
        let transfer = call.transfer.as_deref_mut()?;
        Some((call.context.message_id, transfer))
    }
}

/// The deadline of a call that no connection keeps.
fn own_deadline(call: &Call) -> Option<Instant> {
    match call.place {
        Place::Waiting => Some(call.deadline),
        Place::Dialing { until, .. } => Some(until),
        Place::InFlight { .. } => None,
    }
}

fn held_len(call: &Call) -> usize {
    // The content is the caller's own; it counts while nothing else keeps the
    // call from piling up.
    let file = call
        .transfer
        .as_ref()
        .filter(|_| call.place == Place::Waiting);
    call.held.as_ref().map_or(0, |body| body.len())
        + file.map_or(0, |file| file.upload.content().len())
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
