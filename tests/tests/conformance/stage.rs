//! What scenarios play on: a gate, an adapter, a transport, and clients.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rmpv::Value;
use rtm_gate::{Gate, Seen};
use rtm_proto::api::{
    Caller, Custom, GroupApi, HistoryQuery, HistoryRecord, LanguageApi, MessageApi, RoomApi,
    SessionApi, UploadApi,
};
use rtm_proto::error::{LoginError, RequestError};
use rtm_proto::handle::Builder;
use rtm_proto::{Event, Message, Request, RequestOptions, Session, State, Token};

use crate::adapters::Adapter;

/// How long a scenario may take, however busy the machine is.
const SCENARIO: Duration = Duration::from_secs(60);
/// How long a scenario waits for the gate to see something.
const SIGHT: Duration = Duration::from_secs(20);

/// Runs a scenario; one that hangs fails.
pub(crate) fn within_limit(scenario: impl FnOnce() + Send + 'static) {
    let (done, waiting) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        scenario();
        drop(done);
    });
    match waiting.recv_timeout(SCENARIO) {
        // The channel closes at the end of the scenario and when it panics.
        Err(RecvTimeoutError::Disconnected) | Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => panic!("not done after {SCENARIO:?}"),
    }
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Looks again and again until `done`.
#[track_caller]
pub(crate) fn eventually(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < SIGHT, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Ws,
    Wss,
}

/// A gate and an adapter over one transport.
pub(crate) struct Stage<A: Adapter> {
    pub(crate) gate: Gate,
    pub(crate) transport: Transport,
    adapter: Arc<A>,
}

impl<A: Adapter> Stage<A> {
    pub(crate) fn new(transport: Transport) -> Self {
        Stage::at(Gate::start().expect("a gate"), transport)
    }

    /// A stage at a gate with settings of its own.
    pub(crate) fn at(gate: Gate, transport: Transport) -> Self {
        Stage {
            gate,
            transport,
            adapter: Arc::new(A::start()),
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        let all = self.gate.gate();
        match self.transport {
            Transport::Tcp => all.tcp,
            Transport::Ws => all.ws,
            Transport::Wss => all.wss,
        }
    }

    /// The id of one of the ready users.
    pub(crate) fn user(&self, index: usize) -> i64 {
        self.gate.users()[index].id
    }

    /// Options of a ready user, without any endpoint.
    pub(crate) fn options(&self, index: usize) -> Builder<A::Start> {
        let user = &self.gate.users()[index];
        let builder = Builder::new(self.gate.project_id(), user.id, user.token.as_str());
        self.trusting(builder)
    }

    /// Adds what it takes to trust the gate.
    pub(crate) fn trusting(&self, options: Builder<A::Start>) -> Builder<A::Start> {
        options
            .built_in_roots(false)
            .root_certificates_pem(self.gate.root_certificate())
    }

    pub(crate) fn build(&self, options: Builder<A::Start>) -> Tester<A> {
        let client = self.adapter.build(options).expect("the options are fine");
        self.tester(client)
    }

    pub(crate) fn try_login(&self, options: Builder<A::Start>) -> Result<Tester<A>, LoginError> {
        let client = self.adapter.build_and_login(options)?;
        Ok(self.tester(client))
    }

    pub(crate) fn login_with(&self, options: Builder<A::Start>) -> Tester<A> {
        self.try_login(options.gate(self.endpoint()))
            .expect("the login works")
    }

    pub(crate) fn login(&self, index: usize) -> Tester<A> {
        self.login_with(self.options(index))
    }

    fn tester(&self, client: A::Client) -> Tester<A> {
        Tester {
            adapter: self.adapter.clone(),
            client,
        }
    }

    /// Builds a client that gets fresh tokens from a function.
    pub(crate) fn build_with_tokens(
        &self,
        options: Builder<A::Start>,
        fresh: impl Fn() -> Option<Token> + Send + Sync + 'static,
    ) -> Tester<A> {
        let client = self.adapter.build_with_tokens(options, fresh);
        self.tester(client.expect("the options are fine"))
    }

    /// The messages of a conversation, by the client's own history.
    pub(crate) fn history(
        &self,
        client: &Tester<A>,
        query: HistoryQuery,
    ) -> Vec<Result<HistoryRecord, RequestError>> {
        self.adapter.history(&client.client, query)
    }

    /// Waits for something the gate gets to see.
    #[track_caller]
    pub(crate) fn sees(&self, what: &str, condition: impl Fn(&Seen) -> bool) {
        assert!(self.gate.wait_for(condition, SIGHT), "never seen: {what}");
    }
}

/// A client of an adapter, whose methods wait.
pub(crate) struct Tester<A: Adapter> {
    pub(crate) adapter: Arc<A>,
    pub(crate) client: A::Client,
}

impl<A: Adapter> Clone for Tester<A> {
    fn clone(&self) -> Self {
        Tester {
            adapter: self.adapter.clone(),
            client: self.client.clone(),
        }
    }
}

impl<A: Adapter> Tester<A> {
    pub(crate) fn try_login(&self) -> Result<Session, LoginError> {
        self.adapter.login(&self.client)
    }

    pub(crate) fn logout(&self) {
        self.adapter.logout(&self.client);
    }

    pub(crate) fn abort(&self) {
        A::abort(&self.client);
    }

    pub(crate) fn set_token(&self, token: String) {
        A::set_token(&self.client, token);
    }

    pub(crate) fn state(&self) -> State {
        A::state(&self.client)
    }

    pub(crate) fn in_flight(&self) -> usize {
        A::in_flight(&self.client)
    }

    pub(crate) fn with_options(&self, options: RequestOptions) -> Self {
        Tester {
            adapter: self.adapter.clone(),
            client: A::with_options(&self.client, options),
        }
    }

    pub(crate) fn with_timeout(&self, limit: Duration) -> Self {
        self.with_options(RequestOptions::default().timeout(limit))
    }

    pub(crate) fn call_all<R: Request>(
        &self,
        requests: impl IntoIterator<Item = R>,
    ) -> Vec<Result<R::Response, RequestError>> {
        let requests = requests.into_iter().collect();
        self.adapter.call_all(&self.client, requests)
    }

    pub(crate) fn echo(&self, value: impl Into<Value>) -> Result<Value, RequestError> {
        let value = value.into();
        let answer = self.call(echo(value))?;
        Ok(answer["v"].clone())
    }

    pub(crate) fn until(&self, wanted: impl Fn(&State) -> bool + Send + 'static) -> State {
        self.adapter.until(&self.client, wanted)
    }

    pub(crate) fn events(&self) -> Reader<A> {
        Reader {
            adapter: self.adapter.clone(),
            events: A::events(&self.client),
        }
    }
}

/// A quest that the gate answers with what it was given.
pub(crate) fn echo(value: impl Into<Value>) -> Custom {
    Custom::new("t_echo").field("v", value)
}

impl<A: Adapter> Caller for Tester<A> {
    type Reply<R: Request> = Result<R::Response, RequestError>;

    fn call<R: Request>(&self, request: R) -> Result<R::Response, RequestError> {
        self.adapter.call(&self.client, request)
    }
}

impl<A: Adapter> GroupApi for Tester<A> {}
impl<A: Adapter> LanguageApi for Tester<A> {}
impl<A: Adapter> MessageApi for Tester<A> {}
impl<A: Adapter> RoomApi for Tester<A> {}
impl<A: Adapter> SessionApi for Tester<A> {}
impl<A: Adapter> UploadApi for Tester<A> {}

/// A reader of a client's events.
pub(crate) struct Reader<A: Adapter> {
    adapter: Arc<A>,
    events: A::Events,
}

impl<A: Adapter> Iterator for Reader<A> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.adapter.next_event(&mut self.events)
    }
}

impl<A: Adapter> Reader<A> {
    /// The next message, whatever else happens before.
    pub(crate) fn message(&mut self) -> Message {
        self.find_map(|event| match event {
            Event::Message(message) => Some(message),
            _ => None,
        })
        .expect("a message comes before the end")
    }

    /// The next state that is told.
    pub(crate) fn state(&mut self) -> State {
        self.find_map(|event| match event {
            Event::State(state) => Some(state),
            _ => None,
        })
        .expect("a state comes before the end")
    }
}
