//! A client under any operations and inputs: every call it took ends exactly
//! once, a kickout is final, an abort leaves nothing behind, and the same
//! inputs give the same outputs.

mod model;
mod service;

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
