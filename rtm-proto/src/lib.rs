//! The RTM real-time messaging protocol as a pure state machine.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

extern crate alloc;

pub mod frame;
pub mod payload;
pub mod transport;
