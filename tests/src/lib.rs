//! Tools and tests of the RTM client that span its crates.
//!
//! * [`vectors`]: the program `check-vectors`, which runs recorded wire
//!   traffic against a client.
//! * [`load`]: the program `load`, which measures a client.

pub mod load;
pub mod package;
pub mod runtime;
pub mod value;
pub mod vectors;
