//! The adapter whose calls wait by themselves.

use rtm_client_blocking::{Builder, Client, Events, Threaded};
use rtm_proto::api::{Caller, HistoryQuery, HistoryRecord};
use rtm_proto::error::{BuildError, LoginError, RequestError};
use rtm_proto::{Event, Request, RequestOptions, Session, State, Token};

use super::Adapter;

/// Plain threads.
pub(crate) struct Blocking;

impl Adapter for Blocking {
    type Start = Threaded;
    type Client = Client;
    type Events = Events;

    fn start() -> Self {
        Blocking
    }

    fn fpnn(endpoint: &str) -> Builder {
        Client::fpnn(endpoint)
    }

    fn build(&self, options: Builder) -> Result<Client, BuildError> {
        options.build()
    }

    fn build_and_login(&self, options: Builder) -> Result<Client, LoginError> {
        options.login()
    }

    fn login(&self, client: &Client) -> Result<Session, LoginError> {
        client.login()
    }

    fn logout(&self, client: &Client) {
        client.logout();
    }

    fn abort(client: &Client) {
        client.abort();
    }

    fn set_token(client: &Client, token: String) {
        client.set_token(token);
    }

    fn state(client: &Client) -> State {
        client.state()
    }

    fn in_flight(client: &Client) -> usize {
        client.in_flight()
    }

    fn with_options(client: &Client, options: RequestOptions) -> Client {
        client.with_options(options)
    }

    fn call<R: Request>(&self, client: &Client, request: R) -> Result<R::Response, RequestError> {
        client.call(request)
    }

    /// A thread for each.
    fn call_all<R: Request>(
        &self,
        client: &Client,
        requests: Vec<R>,
    ) -> Vec<Result<R::Response, RequestError>> {
        std::thread::scope(|scope| {
            let calls: Vec<_> = requests
                .into_iter()
                .map(|request| scope.spawn(|| client.call(request)))
                .collect();
            let outcomes = calls.into_iter().map(|call| call.join());
            outcomes.map(|o| o.expect("no call panics")).collect()
        })
    }

    fn events(client: &Client) -> Events {
        client.events()
    }

    fn next_event(&self, events: &mut Events) -> Option<Event> {
        events.recv()
    }

    fn history(
        &self,
        client: &Client,
        query: HistoryQuery,
    ) -> Vec<Result<HistoryRecord, RequestError>> {
        client.history(query).collect()
    }

    fn build_with_tokens(
        &self,
        options: Builder,
        fresh: impl Fn() -> Option<Token> + Send + Sync + 'static,
    ) -> Result<Client, BuildError> {
        options.token_provider(fresh).build()
    }

    fn until(&self, client: &Client, wanted: impl Fn(&State) -> bool + Send + 'static) -> State {
        let state = client.watch().find(wanted);
        state.expect("the states do not end before the wanted one came")
    }
}
