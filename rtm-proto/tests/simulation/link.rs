//! One connection as the network sees it.

use rtm_proto::{ConnId, Instant};

use crate::lane::Lane;
use crate::service::Session;
use crate::watch::Watch;
use crate::wire::Wire;

/// Whose connection, and which of them.
pub(crate) type Key = (usize, ConnId);

pub(crate) struct Link {
    pub(crate) wire: Wire,
    pub(crate) watch: Watch,
    pub(crate) up: Lane,
    pub(crate) down: Lane,
    /// The client's side exists: not hung up, not reported as gone.
    pub(crate) client_open: bool,
    pub(crate) connected: bool,
    /// The service's side exists.
    pub(crate) server_open: bool,
    /// The network has ended it.
    pub(crate) is_cut: bool,
    /// Nothing is taken from the client until then.
    pub(crate) stalled_until: Instant,
    /// Everything the client had to say was always taken at once.
    pub(crate) always_took: bool,
    pub(crate) session: Session,
}

impl Link {
    pub(crate) fn new() -> Self {
        Link {
            wire: Wire::new(),
            watch: Watch::new(),
            up: Lane::new(),
            down: Lane::new(),
            client_open: true,
            connected: false,
            server_open: false,
            is_cut: false,
            stalled_until: Instant::ZERO,
            always_took: true,
            session: Session::default(),
        }
    }

    /// Whether the client is asked for bytes now.
    pub(crate) fn takes(&self, now: Instant) -> bool {
        self.client_open && self.connected && self.stalled_until <= now
    }

    /// Nothing is taken from the client for a while.
    pub(crate) fn stall(&mut self, until: Instant) {
        self.stalled_until = self.stalled_until.max(until);
        self.always_took = false;
    }
}
