//! The RTM client for tokio.
