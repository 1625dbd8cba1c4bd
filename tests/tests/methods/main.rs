//! Every method of the service, called through the public client at the local
//! gate: what it gives, and each error it is known for.

mod areas;
mod conversations;
mod files;

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use rtm_client_tokio::prelude::*;
use rtm_gate::Gate;

/// The users 1001 and 1002 of a gate; Ann also without local checks, so that
/// the gate itself refuses.
struct World {
    gate: Gate,
    group: GroupId,
    ann: Client,
    bob: Client,
    unchecked: Client,
    ann_id: UserId,
    bob_id: UserId,
}

/// A group and a room nobody is in.
const ELSEWHERE: i64 = 987_654;

impl World {
    async fn new() -> World {
        let gate = Gate::start().unwrap();
        let login = |index: usize, check: bool| {
            let user = &gate.users()[index];
            Client::builder(gate.project_id(), user.id, user.token.as_str())
                .dispatch(gate.dispatch().ws)
                .check_arguments(check)
                .login()
        };
        let (ann, bob) = (login(0, true).await.unwrap(), login(1, true).await.unwrap());
        let unchecked = login(0, false).await.unwrap();
        World {
            group: GroupId(gate.group()),
            ann_id: UserId(gate.users()[0].id),
            bob_id: UserId(gate.users()[1].id),
            gate,
            ann,
            bob,
            unchecked,
        }
    }

    async fn log_out(&self) {
        for client in [&self.ann, &self.bob, &self.unchecked] {
            client.logout().await;
        }
    }
}

/// The code of a call that must fail.
#[track_caller]
fn code<T: Debug>(result: Result<T, RequestError>) -> i64 {
    result.unwrap_err().code().0
}

/// More ids than any call takes.
fn crowd(count: i64) -> impl Iterator<Item = UserId> {
    (0..count).map(|n| UserId(5000 + n))
}

fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        let limited = tokio::time::timeout(Duration::from_secs(60), test);
        limited.await.expect("no method hangs");
    });
}

macro_rules! areas {
    ($($module:ident::$area:ident),* $(,)?) => {
        $(#[test]
        fn $area() {
            run(async {
                let world = World::new().await;
                $module::$area(&world).await;
                world.log_out().await;
            });
        })*

        #[test]
        fn no_method_is_left_out() {
            run(async {
                let world = World::new().await;
                $($module::$area(&world).await;)*
                world.log_out().await;
                let seen = world.gate.seen();
                let silent = METHODS.iter().filter(|method| seen.count(method) == 0);
                assert_eq!(silent.collect::<Vec<_>>(), [&""; 0]);
            });
        }
    };
}

areas! {
    areas::sessions,
    areas::friends,
    areas::users,
    areas::groups,
    areas::rooms,
    areas::data,
    areas::language,
    conversations::messages,
    conversations::history,
    conversations::stored_messages,
    conversations::unread,
    files::uploads,
}
