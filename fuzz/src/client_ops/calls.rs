//! What becomes of calls.

use std::collections::{BTreeMap, BTreeSet};

use rtm_proto::error::{RequestError, RequestErrorKind as Kind};
use rtm_proto::{CallId, Instant};

struct Call {
    deadline: Instant,
    /// May be sent again. Its tries have earlier deadlines of their own.
    repeats: bool,
}

/// All calls that were ever accepted.
#[derive(Default)]
pub(super) struct Calls {
    pending: BTreeMap<CallId, Call>,
    /// Those that ended or were cancelled.
    over: BTreeSet<CallId>,
    /// Ids of messages that arrived at a service.
    arrived: BTreeSet<i64>,
    /// Ids of messages that the client said it has not sent.
    unsent: BTreeSet<i64>,
}

impl Calls {
    pub(super) fn accepted(&mut self, id: CallId, deadline: Instant, repeats: bool) {
        let before = self.pending.insert(id, Call { deadline, repeats });
        let is_new = before.is_none() && !self.over.contains(&id);
        assert!(is_new, "a call's name came twice");
    }

    pub(super) fn known(&self) -> Vec<CallId> {
        self.pending.keys().chain(&self.over).copied().collect()
    }

    pub(super) fn cancelled(&mut self, id: CallId) {
        self.pending.remove(&id);
        self.over.insert(id);
    }

    /// A call ended; outputs are taken before the clock moves on, so it is
    /// `now` that it ended.
    pub(super) fn ended(&mut self, id: CallId, error: Option<&RequestError>, now: Instant) {
        let Some(call) = self.pending.remove(&id) else {
            panic!("{id:?} is not pending: {error:?}");
        };
        self.over.insert(id);
        let is_due = call.deadline <= now;
        match error.map(RequestError::kind) {
            None | Some(Kind::Server { .. } | Kind::Decode(_)) => {
                assert!(!is_due, "{id:?} has a late answer: {error:?}");
            }
            Some(Kind::TimedOut { .. }) => {
                assert!(is_due || call.repeats, "{id:?} timed out too early");
            }
            _ => {}
        }
        if let Some(error) = error {
            self.failed(error);
        }
    }

    /// A call failed, or was refused from the first.
    pub(super) fn failed(&mut self, error: &RequestError) {
        let is_unsent = matches!(
            error.kind(),
            Kind::NotConnected
                | Kind::ConnectionLost { sent: false }
                | Kind::TimedOut { sent: false }
                | Kind::FileGate { .. }
                | Kind::Backpressure
                | Kind::Invalid { .. }
                | Kind::Encode(_)
        );
        let Some(id) = error.message_id().filter(|_| is_unsent) else {
            return;
        };
        assert!(
            !self.arrived.contains(&id.0),
            "it arrived, but was not sent: {error:?}"
        );
        self.unsent.insert(id.0);
    }

    /// A message arrived at a service.
    pub(super) fn arrived(&mut self, id: i64) {
        assert!(!self.unsent.contains(&id), "{id} left after its end");
        self.arrived.insert(id);
    }

    /// Checks what must be true whenever the client is at rest.
    pub(super) fn check(&self, in_flight: usize, now: Instant) {
        assert_eq!(in_flight, self.pending.len());
        for (id, call) in &self.pending {
            assert!(call.deadline > now, "{id:?} outlives its deadline");
        }
    }
}
