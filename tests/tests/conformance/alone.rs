//! Tests that count threads or descriptors need a process for themselves.

use std::process::Command;

const GIVEN: &str = "RTM_ALONE_GIVEN";

/// What the test was given by [`run`], in the process that it started.
pub(crate) fn given() -> Option<Vec<String>> {
    let given = std::env::var(GIVEN).ok()?;
    Some(given.split(' ').map(str::to_owned).collect())
}

/// Runs the test of this name in a process of its own.
#[track_caller]
pub(crate) fn run(test: &str, given: &[&str]) {
    let program = std::env::current_exe().expect("the program of the tests");
    let output = Command::new(program)
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(GIVEN, given.join(" "))
        .output()
        .expect("a process");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "no test is called {test}");
}

/// Threads of this process.
pub(crate) fn threads() -> usize {
    count("/proc/self/task")
}

/// Open descriptors of this process.
pub(crate) fn descriptors() -> usize {
    count("/proc/self/fd")
}

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory)
        .expect("a Linux system")
        .count()
}
