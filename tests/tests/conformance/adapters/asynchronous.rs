//! The adapters whose calls are futures. Every future is polled by a task of
//! the runtime under test; the thread of the test only waits.

use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::Poll;
use std::thread::JoinHandle;

use futures::StreamExt;
use futures::channel::oneshot;
use futures::future::{Either, join_all, poll_fn, select};
use rtm_proto::api::{Caller, HistoryQuery, HistoryRecord};
use rtm_proto::error::{BuildError, LoginError, RequestError};
use rtm_proto::handle::{Builder, Events};
use rtm_proto::{Event, Request, RequestOptions, Session, State, Token};

use super::Adapter;

/// Where futures run.
trait Runtime {
    /// Runs `f` where clients may be built.
    fn enter<T>(&self, f: impl FnOnce() -> T) -> T;
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static);

    fn run<F>(&self, future: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (outcome, waiting) = mpsc::sync_channel(1);
        self.spawn(async move {
            // Nobody listens any more once the test has failed.
            let _ = outcome.send(future.await);
        });
        waiting.recv().expect("the task ends")
    }
}

/// An adapter whose futures can be dropped half-way.
pub(crate) trait Drops: Adapter {
    /// Drops the call as soon as `sent` is done, while it is waited for.
    fn drop_when<R: Request>(&self, client: &Self::Client, request: R, sent: impl FnOnce());
    /// Drops the call without polling it.
    fn drop_unpolled<R: Request>(&self, client: &Self::Client, request: R);
    /// Polls the login once and drops it.
    fn poll_and_drop_login(&self, client: &Self::Client);
}

macro_rules! asynchronous {
    ($adapter:ident, $client:ty, $start:ty) => {
        asynchronous!($adapter, $client, $start, |_: &$adapter| 0);
    };
    ($adapter:ident, $client:ty, $start:ty, $tasks:expr) => {
        impl Adapter for $adapter {
            type Start = $start;
            type Client = $client;
            type Events = Option<Events>;

            fn start() -> Self {
                $adapter::new()
            }

            fn fpnn(endpoint: &str) -> Builder<$start> {
                <$client>::fpnn(endpoint)
            }

            fn build(&self, options: Builder<$start>) -> Result<$client, BuildError> {
                self.enter(|| options.build())
            }

            fn build_and_login(&self, options: Builder<$start>) -> Result<$client, LoginError> {
                let login = self.enter(|| options.login());
                self.run(login)
            }

            fn login(&self, client: &$client) -> Result<Session, LoginError> {
                self.run(client.login())
            }

            fn logout(&self, client: &$client) {
                self.run(client.logout());
            }

            fn abort(client: &$client) {
                client.abort();
            }

            fn set_token(client: &$client, token: String) {
                client.set_token(token);
            }

            fn state(client: &$client) -> State {
                client.state()
            }

            fn in_flight(client: &$client) -> usize {
                client.in_flight()
            }

            fn with_options(client: &$client, options: RequestOptions) -> $client {
                client.with_options(options)
            }

            fn call<R: Request>(
                &self,
                client: &$client,
                request: R,
            ) -> Result<R::Response, RequestError> {
                self.run(client.call(request))
            }

            fn call_all<R: Request>(
                &self,
                client: &$client,
                requests: Vec<R>,
            ) -> Vec<Result<R::Response, RequestError>> {
                self.run(join_all(requests.into_iter().map(|r| client.call(r))))
            }

            fn events(client: &$client) -> Option<Events> {
                Some(client.events())
            }

            fn next_event(&self, slot: &mut Option<Events>) -> Option<Event> {
                let mut events = slot.take()?;
                let (event, events) = self.run(async move { (events.next().await, events) });
                *slot = Some(events);
                event
            }

            fn until(
                &self,
                client: &$client,
                wanted: impl Fn(&State) -> bool + Send + 'static,
            ) -> State {
                let mut states = client.watch();
                self.run(async move {
                    while let Some(state) = states.next().await {
                        if wanted(&state) {
                            return state;
                        }
                    }
                    panic!("the states ended before the wanted one came")
                })
            }

            fn history(
                &self,
                client: &$client,
                query: HistoryQuery,
            ) -> Vec<Result<HistoryRecord, RequestError>> {
                self.run(client.history(query).collect())
            }

            fn build_with_tokens(
                &self,
                options: Builder<$start>,
                fresh: impl Fn() -> Option<Token> + Send + Sync + 'static,
            ) -> Result<$client, BuildError> {
                let provider = move || std::future::ready(fresh());
                self.enter(|| options.token_provider(provider).build())
            }

            fn tasks(&self) -> usize {
                $tasks(self)
            }
        }

        impl Drops for $adapter {
            fn drop_when<R: Request>(&self, client: &$client, request: R, sent: impl FnOnce()) {
                let (drop_it, told) = oneshot::channel::<()>();
                let (dropped, waiting) = mpsc::sync_channel(1);
                let call = client.call(request);
                self.spawn(async move {
                    let was_late = matches!(select(call, told).await, Either::Right(_));
                    // The call is gone by now. Nobody listens if the test failed.
                    let _ = dropped.send(was_late);
                });
                sent();
                drop(drop_it);
                assert!(waiting.recv().expect("the task ends"), "it was answered");
            }

            fn drop_unpolled<R: Request>(&self, client: &$client, request: R) {
                drop(client.call(request));
            }

            fn poll_and_drop_login(&self, client: &$client) {
                self.run(once(client.login()));
            }
        }
    };
}

/// Polls a future once.
async fn once<F: Future + Unpin>(mut future: F) {
    poll_fn(|cx| {
        let _ = std::pin::Pin::new(&mut future).poll(cx);
        Poll::Ready(())
    })
    .await;
}

/// tokio on a single thread, which runs while the test waits.
pub(crate) struct TokioOneThread {
    handle: tokio::runtime::Handle,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TokioOneThread {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let handle = runtime.handle().clone();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            // Ends when the other end is dropped.
            let _ = runtime.block_on(stopped);
        });
        TokioOneThread {
            handle,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for TokioOneThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the runtime ends well");
        }
    }
}

impl Runtime for TokioOneThread {
    fn enter<T>(&self, f: impl FnOnce() -> T) -> T {
        let _guard = self.handle.enter();
        f()
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(future);
    }
}

asynchronous!(
    TokioOneThread,
    rtm_client_tokio::Client,
    rtm_client_tokio::Tokio,
    |adapter: &TokioOneThread| adapter.handle.metrics().num_alive_tasks()
);

/// tokio on two threads.
pub(crate) struct TokioThreads(Arc<tokio::runtime::Runtime>);

impl TokioThreads {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        TokioThreads(Arc::new(runtime.expect("a runtime")))
    }
}

impl Runtime for TokioThreads {
    fn enter<T>(&self, f: impl FnOnce() -> T) -> T {
        let _guard = self.0.enter();
        f()
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(future);
    }
}

asynchronous!(
    TokioThreads,
    rtm_client_tokio::Client,
    rtm_client_tokio::Tokio,
    |adapter: &TokioThreads| adapter.0.metrics().num_alive_tasks()
);

/// async-std.
pub(crate) struct AsyncStd;

impl AsyncStd {
    fn new() -> Self {
        AsyncStd
    }
}

impl Runtime for AsyncStd {
    fn enter<T>(&self, f: impl FnOnce() -> T) -> T {
        f()
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(future);
    }
}

asynchronous!(
    AsyncStd,
    rtm_client_async_std::Client,
    rtm_client_async_std::AsyncStd
);

/// smol's global executor.
pub(crate) struct Smol;

impl Smol {
    fn new() -> Self {
        Smol
    }
}

impl Runtime for Smol {
    fn enter<T>(&self, f: impl FnOnce() -> T) -> T {
        f()
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(future).detach();
    }
}

asynchronous!(
    Smol,
    rtm_client_async_std::smol::Client,
    rtm_client_async_std::smol::Smol
);
