//! Every fuzz target over its seeds, and over what a small generator makes of
//! them: what a fuzzer would try first.

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use rtm_fuzz::{TARGETS, Target};

/// Changed copies of each seed.
const COPIES: u64 = 20;

/// The files of the seeds of a target, in order.
fn seeds(target: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let files = fs::read_dir(root.join(target)).expect("the folder of the seeds");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths
}

/// A copy with a few bytes changed, and sometimes some repeated or missing.
fn change(seed: &[u8], mut state: u64) -> Vec<u8> {
    let mut roll = |sides: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % sides.max(1)
    };
    let mut copy = seed.to_vec();
    for _ in 0..=roll(4) {
        let at = roll(copy.len());
        match roll(4) {
            0 => copy.truncate(at.max(1)),
            1 => copy.extend_from_within(at..),
            _ => copy[at] = roll(256) as u8,
        }
    }
    copy
}

/// Runs a target; should it fail, says on which input and keeps that, so that
/// it can be repeated alone.
fn run(name: &str, target: Target, input: &[u8], origin: &str) {
    if let Err(failure) = panic::catch_unwind(|| target(input)) {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-input"));
        let place = match fs::write(&kept, input) {
            Ok(()) => kept.display().to_string(),
            Err(error) => format!("lost: {error}"),
        };
        eprintln!("{name} fails on {origin}; the input is {place}");
        panic::resume_unwind(failure);
    }
}

#[test]
fn all_targets_pass_on_their_seeds_and_on_changed_copies_of_them() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() > 10, "{name} has too few seeds");
        for (index, path) in seeds.iter().enumerate() {
            let seed = fs::read(path).expect("a seed");
            let file = path.display();
            run(name, target, &seed, &format!("the seed {file}"));
            for copy in 0..COPIES {
                let input = change(&seed, index as u64 * COPIES + copy);
                run(
                    name,
                    target,
                    &input,
                    &format!("copy {copy} of the seed {file}"),
                );
            }
        }
    }
}
