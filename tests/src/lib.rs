//! Tools and tests of the RTM client that span its crates.
//!
//! * [`vectors`]: the program `check-vectors`, which runs recorded wire
//!   traffic against a client.

pub mod package;
pub mod value;
pub mod vectors;
