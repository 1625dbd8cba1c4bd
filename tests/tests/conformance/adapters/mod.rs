//! The adapters, each behind the same trait.

mod asynchronous;
mod blocking;

pub(crate) use asynchronous::{AsyncStd, Drops, Smol, TokioOneThread, TokioThreads};
pub(crate) use blocking::Blocking;

use rtm_proto::api::{Caller, HistoryQuery, HistoryRecord};
use rtm_proto::error::{BuildError, LoginError, RequestError};
use rtm_proto::handle::{Builder, Start};
use rtm_proto::{Event, Request, RequestOptions, Session, State, Token};

/// One adapter on one runtime. Each method does what its namesake of the
/// adapter's own client does, and waits for the outcome.
pub(crate) trait Adapter: Send + Sync + Sized + 'static {
    type Start: Start<Client = Self::Client>;
    type Client: Caller + Clone + Send + Sync + 'static;
    type Events: Send + 'static;

    fn start() -> Self;

    fn fpnn(endpoint: &str) -> Builder<Self::Start>;
    fn build(&self, options: Builder<Self::Start>) -> Result<Self::Client, BuildError>;
    /// The builder's own `login`.
    fn build_and_login(&self, options: Builder<Self::Start>) -> Result<Self::Client, LoginError>;

    fn login(&self, client: &Self::Client) -> Result<Session, LoginError>;
    fn logout(&self, client: &Self::Client);
    fn abort(client: &Self::Client);
    fn set_token(client: &Self::Client, token: String);
    fn state(client: &Self::Client) -> State;
    fn in_flight(client: &Self::Client) -> usize;
    fn with_options(client: &Self::Client, options: RequestOptions) -> Self::Client;

    fn call<R: Request>(
        &self,
        client: &Self::Client,
        request: R,
    ) -> Result<R::Response, RequestError>;
    /// All at once, the way programs of this kind do that.
    fn call_all<R: Request>(
        &self,
        client: &Self::Client,
        requests: Vec<R>,
    ) -> Vec<Result<R::Response, RequestError>>;

    fn events(client: &Self::Client) -> Self::Events;
    fn next_event(&self, events: &mut Self::Events) -> Option<Event>;
    /// Waits by `watch` for a state that satisfies `wanted`.
    fn until(
        &self,
        client: &Self::Client,
        wanted: impl Fn(&State) -> bool + Send + 'static,
    ) -> State;

    /// All of a conversation's messages, by the client's own history.
    fn history(
        &self,
        client: &Self::Client,
        query: HistoryQuery,
    ) -> Vec<Result<HistoryRecord, RequestError>>;
    /// Builds the client with something to ask for fresh tokens.
    fn build_with_tokens(
        &self,
        options: Builder<Self::Start>,
        fresh: impl Fn() -> Option<Token> + Send + Sync + 'static,
    ) -> Result<Self::Client, BuildError>;

    /// Tasks of the runtime that have not ended, where it can tell.
    fn tasks(&self) -> usize {
        0
    }
}
