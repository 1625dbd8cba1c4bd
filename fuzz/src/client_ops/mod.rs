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
    let first = play(data);
    if data.first().is_some_and(|switches| switches & 0xc0 == 0xc0) {
        assert_eq!(play(data), first, "the same inputs, other outputs");
    }
}

/// Gives a digest of everything that came out.
fn play(data: &[u8]) -> u64 {
    let mut model = Model::new(Source::new(data));
    while model.step() {}
    model.finish()
}
