//! What is left after many logins: nothing.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rtm_gate::Gate;
use rtm_proto::api::SendMessage;
use rtm_proto::handle::Builder;
use rtm_proto::{MessageId, State, UserId};

use crate::adapters::Adapter;
use crate::alone;
use crate::stage::eventually;

const CYCLES: usize = 1000;
/// For all of them, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs in a process of its own, where nobody else starts threads; the gate is
/// in the process of the test.
pub(crate) fn logging_in_and_out_leaves_nothing_behind<A: Adapter>(test: &str) {
    let Some(given) = alone::given() else {
        let gate = Gate::start().unwrap();
        let user = &gate.users()[0];
        let endpoint = gate.gate().tcp;
        let given = [
            endpoint.as_str(),
            &gate.project_id().to_string(),
            &user.id.to_string(),
            &user.token,
        ];
        return alone::run(test, &given);
    };
    let adapter = A::start();
    let cycle = |n: usize| {
        let options = Builder::<A::Start>::new(
            given[1].parse().unwrap(),
            given[2].parse::<i64>().unwrap(),
            given[3].as_str(),
        );
        let options = options.gate(&given[0]);
        if n % 3 == 2 {
            return give_up_a_login(&adapter, options);
        }
        let client = adapter.build_and_login(options).unwrap();
        // Ids that clients choose may be the same for two of one user that
        // start within a millisecond.
        let id = MessageId(n as i64 + 1);
        let chat = SendMessage::chat(UserId(1), "hello").message_id(id);
        adapter.call(&client, chat).unwrap();
        if n % 3 == 1 {
            adapter.logout(&client);
        }
    };
    // A cycle that hangs would hang for ever.
    let (done, waiting) = mpsc::channel::<()>();
    thread::spawn(move || {
        if waiting.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            eprintln!("not done after {LIMIT:?}");
            std::process::abort();
        }
    });
    // The runtime starts what it keeps.
    (CYCLES..CYCLES + 5).for_each(cycle);
    let settled = || (alone::threads(), alone::descriptors(), adapter.tasks());
    let before = steady(settled);
    (0..CYCLES).for_each(cycle);
    eventually("as much as before is left", || {
        let (threads, descriptors, tasks) = settled();
        threads <= before.0 && descriptors <= before.1 && tasks <= before.2
    });
    drop(done);
}

/// A login that ends wherever it happens to be.
fn give_up_a_login<A: Adapter>(adapter: &A, options: Builder<A::Start>) {
    let client = adapter.build(options).unwrap();
    thread::scope(|scope| {
        let login = scope.spawn(|| adapter.login(&client).map(drop));
        adapter.until(&client, |state| *state != State::Idle);
        A::abort(&client);
        // It may just have succeeded.
        let _ = login.join().unwrap();
    });
}

/// A value that has stayed the same for a while: threads that wait for work
/// end after some idle time of their own.
fn steady<T: PartialEq>(look: impl Fn() -> T) -> T {
    let mut last = look();
    let mut same = 0;
    while same < 100 {
        thread::sleep(Duration::from_millis(10));
        let now = look();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    last
}
