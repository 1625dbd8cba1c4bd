//! One connection as the network sees it.

use rtm_proto::{ConnId, Instant};

use crate::service::Session;
use crate::wire::Wire;

/// Whose connection, and which of them.
pub(crate) type Key = (usize, ConnId);

/// One direction of a connection.
pub(crate) struct Lane {
    /// When the last bytes of this direction arrive: later ones come later.
    pub(crate) busy_until: Instant,
    /// The connection is cut after that many more bytes.
    pub(crate) cut_after: Option<usize>,
    /// Bytes vanish, and nobody is told.
    pub(crate) is_deaf: bool,
}

impl Lane {
    fn new() -> Self {
        Lane {
            busy_until: Instant::ZERO,
            cut_after: None,
            is_deaf: false,
        }
    }

    /// How much of `len` bytes passes, and whether the lane ends there.
    pub(crate) fn admit(&mut self, len: usize) -> (usize, bool) {
        match &mut self.cut_after {
            Some(left) if *left <= len => (*left, true),
            Some(left) => {
                *left -= len;
                (len, false)
            }
            None => (len, false),
        }
    }
}

pub(crate) struct Link {
    pub(crate) wire: Wire,
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
    pub(crate) session: Session,
}

impl Link {
    pub(crate) fn new() -> Self {
        Link {
            wire: Wire::new(),
            up: Lane::new(),
            down: Lane::new(),
            client_open: true,
            connected: false,
            server_open: false,
            is_cut: false,
            stalled_until: Instant::ZERO,
            session: Session::default(),
        }
    }
}
