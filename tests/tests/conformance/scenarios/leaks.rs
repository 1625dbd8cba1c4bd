//! What is left after many logins: nothing.

use std::time::Duration;

use rtm_gate::Gate;
use rtm_proto::UserId;
use rtm_proto::api::SendMessage;
use rtm_proto::handle::Builder;

use crate::adapters::Adapter;
use crate::alone;
use crate::stage::eventually;

/// Cycles of a test; the environment may ask for more.
const CYCLES: usize = 50;

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
    let cycles = std::env::var("RTM_LEAK_CYCLES").map_or(CYCLES, |n| n.parse().unwrap());
    let adapter = A::start();
    let cycle = |n: usize| {
        let options = Builder::<A::Start>::new(
            given[1].parse().unwrap(),
            given[2].parse::<i64>().unwrap(),
            given[3].as_str(),
        );
        let options = options.gate(&given[0]);
        let client = adapter.build_and_login(options).unwrap();
        let chat = SendMessage::chat(UserId(1), "hello");
        let _ = adapter.call(&client, chat);
        if n.is_multiple_of(2) {
            adapter.logout(&client);
        }
    };
    // The runtime starts what it keeps.
    (0..5).for_each(cycle);
    let settled = || (alone::threads(), alone::descriptors(), adapter.tasks());
    let before = steady(settled);
    (0..cycles).for_each(cycle);
    eventually("as much as before is left", || {
        let (threads, descriptors, tasks) = settled();
        threads <= before.0 && descriptors <= before.1 && tasks <= before.2
    });
}

/// A value that has stayed the same for a while: threads that wait for work
/// end after some idle time of their own.
fn steady<T: PartialEq>(look: impl Fn() -> T) -> T {
    let mut last = look();
    let mut same = 0;
    while same < 100 {
        std::thread::sleep(Duration::from_millis(10));
        let now = look();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    last
}
