//! A client that has nothing to do does nothing. This looks at the threads of
//! the process, so it is the only test of its program.

mod support;

use std::fs;
use std::time::Duration;

use rtm_client_blocking::api::Caller;
use rtm_gate::Gate;
use support::{echo, login, within};

/// How often the threads of clients have gone to sleep so far.
#[cfg(target_os = "linux")]
fn sleeps() -> u64 {
    let mut sleeps = 0;
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().to_owned()
        };
        if field("Name:").starts_with("rtm-timer") || field("Name:").starts_with("rtm-reader") {
            sleeps += field("voluntary_ctxt_switches:").parse::<u64>().unwrap();
        }
    }
    sleeps
}

#[test]
#[cfg(target_os = "linux")]
fn an_idle_client_does_not_wake() {
    within(Duration::from_secs(60), || {
        let gate = Gate::start().unwrap();
        let clients = [login(&gate, 0), login(&gate, 1)];
        for client in &clients {
            client.call(echo(1)).unwrap();
        }
        // What is told and answered meanwhile has settled after half a second;
        // nothing is due in the next two.
        std::thread::sleep(Duration::from_millis(500));
        let before = sleeps();
        assert!(before > 0, "the threads were found");
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(sleeps() - before, 0);
    });
}
