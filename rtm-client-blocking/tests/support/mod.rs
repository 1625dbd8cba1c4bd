//! What the tests share.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rtm_client_blocking::Client;
use rtm_client_blocking::api::Custom;
use rtm_gate::Gate;

/// Runs a test; one that hangs fails.
pub(crate) fn within(limit: Duration, test: impl FnOnce() + Send + 'static) {
    let (done, waiting) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        test();
        drop(done);
    });
    if let Err(RecvTimeoutError::Timeout) = waiting.recv_timeout(limit) {
        panic!("not done after {limit:?}");
    }
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Logs in one of the gate's ready users.
pub(crate) fn login(gate: &Gate, user: usize) -> Client {
    let user = &gate.users()[user];
    Client::builder(gate.project_id(), user.id, user.token.as_str())
        .gate(gate.gate().tcp)
        .login()
        .expect("the login works")
}

/// A quest that the gate answers with what it was given.
pub(crate) fn echo(value: i64) -> Custom {
    Custom::new("t_echo").field("v", value)
}
