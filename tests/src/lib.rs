//! Tools and tests of the RTM client that span its crates.
//!
//! * [`vectors`]: the program `check-vectors`, which runs recorded wire
//!   traffic against a client.
//! * [`load`]: the program `load`, which measures a client.
//! * [`speed`]: the program `speed`, which holds the clients against floors.

pub mod load;
pub mod package;
pub mod runtime;
pub mod speed;
pub mod value;
pub mod vectors;
