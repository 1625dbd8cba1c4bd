//! What all tests need: a gate, clients of it, and limits on every wait.

mod events;
mod forward;
mod package;

pub(crate) use events::{cause_of, closed, messages, next_message, next_where, online, story};
pub(crate) use forward::{Forward, Manner};
pub(crate) use package::{header, push};

use std::sync::Arc;
use std::time::Duration;

use rtm_client_tokio::prelude::*;
use rtm_client_tokio::{Builder, Call, Request};
use rtm_gate::{Effect, Endpoints, Gate, Seen, Times};

/// No step of a test takes longer, however loaded the machine is.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Waits for `future`, not for ever.
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(output) => output,
        Err(_) => panic!("this took longer than {LIMIT:?}: {what}"),
    }
}

/// A way to the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Tcp,
    Ws,
    Tls,
    Wss,
}

impl Via {
    pub(crate) const ALL: [Via; 4] = [Via::Tcp, Via::Ws, Via::Tls, Via::Wss];
    /// A byte stream, messages, and messages behind TLS.
    pub(crate) const THREE: [Via; 3] = [Via::Tcp, Via::Ws, Via::Wss];

    pub(crate) fn of(self, endpoints: &Endpoints) -> String {
        match self {
            Via::Tcp => &endpoints.tcp,
            Via::Ws => &endpoints.ws,
            Via::Tls => &endpoints.tls,
            Via::Wss => &endpoints.wss,
        }
        .clone()
    }

    pub(crate) const fn scheme(self) -> &'static str {
        match self {
            Via::Tcp => "tcp",
            Via::Ws => "ws",
            Via::Tls => "tls",
            Via::Wss => "wss",
        }
    }

    /// The port of the gate that speaks this.
    pub(crate) fn port(self, gate: &Gate) -> u16 {
        let endpoint = self.of(&gate.gate());
        let (_, port) = endpoint.rsplit_once(':').expect("an endpoint has a port");
        port.parse().expect("a port is a number")
    }
}

pub(crate) fn start_gate() -> Arc<Gate> {
    Arc::new(Gate::start().expect("a gate"))
}

/// Options of the gate's user `index`, who trusts the gate's certificate only.
pub(crate) fn options(gate: &Gate, index: usize) -> Builder {
    let user = &gate.users()[index];
    Client::builder(gate.project_id(), user.id, user.token.as_str())
        .built_in_roots(false)
        .root_certificates_pem(gate.root_certificate())
}

/// The gate's user `index`, who goes straight to the gate.
pub(crate) fn direct(gate: &Gate, index: usize, via: Via) -> Builder {
    options(gate, index).gate(via.of(&gate.gate()))
}

/// The gate's user `index`, logged in.
pub(crate) async fn login(gate: &Gate, index: usize, via: Via) -> Client {
    log_in(direct(gate, index, via)).await
}

pub(crate) async fn log_in(builder: Builder) -> Client {
    within("login", builder.login()).await.expect("a login")
}

/// The error of a login that must fail.
pub(crate) async fn refused(builder: Builder) -> LoginError {
    match within("login", builder.login()).await {
        Ok(client) => panic!("this login must fail: {}", client.state()),
        Err(error) => error,
    }
}

/// Waits until the gate's record fulfils a condition.
pub(crate) async fn seen(
    gate: &Arc<Gate>,
    what: &str,
    condition: impl Fn(&Seen) -> bool + Send + 'static,
) {
    let gate = gate.clone();
    let wait = move || gate.wait_for(condition, LIMIT);
    let met = tokio::task::spawn_blocking(wait).await;
    assert!(met.expect("no panic"), "the gate never saw: {what}");
}

/// The method `t_echo`, which the gate lets pass without an answer.
pub(crate) fn never_answered(gate: &Gate) {
    gate.faults().on("t_echo", Effect::Ignore, Times::Always);
}

pub(crate) fn echo(value: i64) -> Custom {
    Custom::new("t_echo").field("v", value)
}

/// Calls under way, each in a task of its own.
pub(crate) struct Pending(
    Vec<tokio::task::JoinHandle<Result<<Custom as Request>::Response, RequestError>>>,
);

impl Pending {
    /// Makes `count` calls and waits until the gate has all of them; it must not answer.
    pub(crate) async fn start(gate: &Arc<Gate>, client: &Client, count: usize) -> Pending {
        let calls = (0..count).map(|i| client.call(echo(i as i64)));
        let pending = Pending(calls.map(tokio::spawn).collect());
        seen(gate, "the calls", move |s| s.count("t_echo") >= count).await;
        assert_eq!(client.in_flight(), count);
        pending
    }

    /// The kinds of error they end with; every one must.
    pub(crate) async fn errors(self) -> Vec<RequestError> {
        let mut errors = Vec::new();
        for call in self.0 {
            let result = within("a pending call", call).await.expect("no panic");
            errors.push(result.expect_err("nobody answered"));
        }
        errors
    }

    /// All must end with this kind and code.
    pub(crate) async fn all_end(self, kind: &RequestErrorKind, code: ErrorCode) {
        for error in self.errors().await {
            assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
            assert_eq!(error.method(), "t_echo");
        }
    }
}

pub(crate) const LOST: RequestErrorKind = RequestErrorKind::ConnectionLost { sent: true };

/// Polls a call for the first time, which starts it.
pub(crate) fn begin<R: Request>(call: &mut Call<R>) {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let first = std::pin::Pin::new(call).poll(&mut cx);
    assert!(first.is_pending(), "a call never ends at its first poll");
}
