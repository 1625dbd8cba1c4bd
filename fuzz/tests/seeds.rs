//! Every target over its seeds and over what a small generator makes of them.

use std::fs;
use std::path::Path;

use rtm_fuzz::TARGETS;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    let files = fs::read_dir(&folder).expect("the folder of the seeds");
    files
        .map(|file| fs::read(file.expect("a file").path()).expect("a seed"))
        .collect()
}

#[test]
fn all_seeds_pass() {
    for (name, run) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() > 3, "{name} has no seeds");
        for seed in &seeds {
            run(seed);
        }
    }
}
