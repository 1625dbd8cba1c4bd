//! Threads and descriptors are given back. This counts those of the whole
//! process, so it is the only test of its program.

mod support;

use std::thread;
use std::time::{Duration, Instant};

use rtm_client_blocking::api::Caller;
use rtm_gate::Gate;
use support::{echo, login, within};

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory)
        .expect("a Linux system")
        .count()
}

/// Waits until the system lists no thread of a client any more.
fn until_no_client_has_threads() {
    let is_ours = |task: std::io::Result<std::fs::DirEntry>| {
        // It may have ended since it was listed.
        let name = std::fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
        ["rtm-timer", "rtm-reader"]
            .contains(&name.trim())
            .then_some(())
    };
    let tasks = || std::fs::read_dir("/proc/self/task").expect("a Linux system");
    while tasks().filter_map(is_ours).count() > 0 {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until as many threads and descriptors are left as before: the system
/// lists a thread for a moment after it was joined.
fn expect(before: (usize, usize), after: &str) {
    let start = Instant::now();
    loop {
        let now = (count("/proc/self/task"), count("/proc/self/fd"));
        if now <= before {
            return;
        }
        let waited = start.elapsed();
        assert!(waited < Duration::from_secs(5), "{now:?} {after}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_thread_and_no_descriptor_outlives_its_client() {
    within(Duration::from_secs(120), || {
        let gate = Gate::start().unwrap();
        drop(login(&gate, 0));
        assert!(gate.wait_for(|seen| seen.open() == 0, Duration::from_secs(10)));
        until_no_client_has_threads();
        let before = (count("/proc/self/task"), count("/proc/self/fd"));

        for _ in 0..20 {
            let client = login(&gate, 0);
            assert_eq!(count("/proc/self/task"), before.0 + 2, "two for a client");
            drop(client);
            expect(before, "after a drop");
        }

        let client = login(&gate, 0);
        client.logout();
        client.logout();
        drop(client);
        expect(before, "after a logout");

        let client = login(&gate, 0);
        client.abort();
        drop(client);
        expect(before, "after an abort");

        // Other threads wait in calls and for events while handles go.
        let client = login(&gate, 0);
        let mut events = client.events();
        let waiting = thread::spawn(move || events.by_ref().count());
        let calls: Vec<_> = (0..8)
            .map(|n| {
                let client = client.clone();
                thread::spawn(move || client.call(echo(n)).map(drop))
            })
            .collect();
        drop(client);
        for call in calls {
            call.join().unwrap().unwrap();
        }
        waiting.join().unwrap();
        expect(before, "after the last of many handles");

        // A peer that is gone for good.
        let client = login(&gate, 0);
        gate.stop();
        drop(client);
        gate.restart().unwrap();
        expect(before, "after the peer went away");
    });
}
