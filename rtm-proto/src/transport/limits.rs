//! Bounds and states of a transport.

/// The most bytes one [`Transport::transmit`](super::Transport::transmit) returns.
pub const TRANSMIT_MAX: usize = 64 * 1024;

/// Bounds on what a transport takes from either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportLimits {
    /// The largest package [`Transport::send`](super::Transport::send) takes, in bytes. Default
    /// 8 MiB, what the server takes (`highras/fpnn core/Config.h`); never more than 4 GiB - 1.
    pub max_package: usize,
    /// The largest WebSocket message a peer may send, all fragments together, in bytes. It is
    /// gathered in memory. Default 8 MiB.
    pub max_message: usize,
    /// The longest head of a WebSocket response, in bytes. Default 16 KiB.
    pub max_response_head: usize,
}

impl Default for TransportLimits {
    fn default() -> Self {
        Self {
            max_package: 8 << 20,
            max_message: 8 << 20,
            max_response_head: 16 << 10,
        }
    }
}

impl TransportLimits {
    /// Bounds packages, and the messages that carry them, by `max_package` bytes.
    #[must_use]
    pub const fn with_max_package(mut self, max_package: usize) -> Self {
        self.max_package = max_package;
        self.max_message = max_package;
        self
    }
}

/// How far a transport has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportState {
    /// A handshake is under way. Packages may be sent; they wait.
    Opening,
    /// Packages flow both ways.
    Ready,
    /// Closed by either side. What was queued still goes out. A WebSocket that we closed still
    /// receives packages until the peer's reply is there; a byte stream waits for nothing.
    Closing,
    /// Over, and nothing is left to wait for: drop the socket. After a failure, transmit first.
    Closed,
}
