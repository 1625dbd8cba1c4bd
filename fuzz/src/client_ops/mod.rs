//! A client under any operations and inputs: every call it took ends exactly
//! once and in time, it is online only where it was let in, pushes are answered
//! and then delivered in order, a kickout is final, an abort leaves nothing
//! behind, what a peer that does not read costs is bounded, and the same inputs
//! give the same outputs.

mod asking;
mod calls;
mod happening;
mod model;
mod pushes;
mod service;
mod settings;
mod talk;

use model::Model;

use crate::source::Source;

/// Input: switches, settings, then operations.
///
/// # Panics
///
/// If the client breaks its contract.
pub fn run(data: &[u8]) {
    let twice = data.first().is_some_and(|switches| switches & 0xe0 == 0xe0);
    let first = play(data, twice);
    if twice {
        assert_eq!(play(data, true), first, "the same inputs, other outputs");
    }
}

/// Gives a digest of everything that came out, if it is to be compared.
fn play(data: &[u8], compared: bool) -> u64 {
    let mut model = Model::new(Source::new(data), compared);
    while model.step() {}
    model.finish()
}
