//! The client that is measured, whatever its runtime.

use std::thread;
use std::time::Duration;

use futures::StreamExt;
use rtm_proto::api::{Custom, MessageApi, SendMessage};
use rtm_proto::error::{LoginError, RequestError};
use rtm_proto::handle::{Builder, Start};
use rtm_proto::{Event, State};

/// What measuring needs of a client and of its runtime. The futures of the
/// blocking client block, and its tasks are threads.
pub(super) trait Subject: MessageApi + Clone + Send + Sync + 'static {
    /// The type that starts such clients.
    type Start: Start<Client = Self>;
    /// A reader of events.
    type Events;
    /// A task that was spawned.
    type Task: Future<Output = Result<(), String>>;

    /// Runs the measurement.
    ///
    /// # Errors
    ///
    /// A text, when there is no runtime to be had.
    fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String>;

    /// Starts a task.
    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self::Task;

    /// Sleeps.
    fn sleep(span: Duration) -> impl Future<Output = ()> + Send;

    /// Lets other tasks run.
    fn give_way() -> impl Future<Output = ()> + Send;

    /// Builds a client and logs it in.
    ///
    /// # Errors
    ///
    /// Those of the login.
    fn log_in(builder: Builder<Self::Start>) -> impl Future<Output = Result<Self, LoginError>>;

    /// Logs out.
    fn log_out(&self) -> impl Future<Output = ()>;

    /// Ends everything at once.
    fn destroy(&self);

    /// Whether there is a session.
    fn is_online(&self) -> bool;

    /// Waits for the answer to a message.
    ///
    /// # Errors
    ///
    /// Those of the call.
    fn sent(
        reply: Self::Reply<SendMessage>,
    ) -> impl Future<Output = Result<(), RequestError>> + Send;

    /// Waits for the answer to an untyped call.
    ///
    /// # Errors
    ///
    /// Those of the call.
    fn answered(
        reply: Self::Reply<Custom>,
    ) -> impl Future<Output = Result<(), RequestError>> + Send;

    /// A reader of events.
    fn reader(&self) -> Self::Events;

    /// The next event, if one comes within the limit.
    fn next(events: &mut Self::Events, limit: Duration) -> impl Future<Output = Option<Event>>;
}

/// The asynchronous clients differ in their runtimes and in nothing else.
macro_rules! asynchronous {
    ($client:ty, $start:ty, $runtime:ident) => {
        impl Subject for $client {
            type Start = $start;
            type Events = rtm_proto::handle::Events;
            type Task = $runtime::Task;

            fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String> {
                $runtime::block_on(future)
            }

            fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self::Task {
                $runtime::spawn(future)
            }

            async fn sleep(span: Duration) {
                $runtime::sleep(span).await;
            }

            async fn give_way() {
                $runtime::give_way().await;
            }

            async fn log_in(builder: Builder<Self::Start>) -> Result<Self, LoginError> {
                builder.login().await
            }

            async fn log_out(&self) {
                self.logout().await;
            }

            fn destroy(&self) {
                self.abort();
            }

            fn is_online(&self) -> bool {
                matches!(self.state(), State::Online { .. })
            }

            async fn sent(reply: Self::Reply<SendMessage>) -> Result<(), RequestError> {
                reply.await.map(drop)
            }

            async fn answered(reply: Self::Reply<Custom>) -> Result<(), RequestError> {
                reply.await.map(drop)
            }

            fn reader(&self) -> Self::Events {
                self.events()
            }

            async fn next(events: &mut Self::Events, limit: Duration) -> Option<Event> {
                let too_late = async {
                    Self::sleep(limit).await;
                    None
                };
                smol::future::or(events.next(), too_late).await
            }
        }
    };
}

asynchronous!(rtm_client_tokio::Client, rtm_client_tokio::Tokio, on_tokio);
asynchronous!(
    rtm_client_async_std::Client,
    rtm_client_async_std::AsyncStd,
    on_async_std
);
asynchronous!(
    rtm_client_async_std::smol::Client,
    rtm_client_async_std::smol::Smol,
    on_smol
);

/// Everything on the calling thread, so that the CPU time is that of the
/// client and of little else.
mod on_tokio {
    use super::joined;

    pub(super) type Task = std::pin::Pin<Box<dyn Future<Output = Result<(), String>>>>;
    pub(super) use tokio::task::yield_now as give_way;
    pub(super) use tokio::time::sleep;

    pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        Ok(runtime.block_on(future))
    }

    pub(super) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Task {
        let task = tokio::spawn(future);
        Box::pin(async { joined(task.await) })
    }
}

/// The threads of the runtime do the work; the calling thread waits.
mod on_smol {
    use super::Duration;

    pub(super) type Task = std::pin::Pin<Box<dyn Future<Output = Result<(), String>>>>;
    pub(super) use smol::future::yield_now as give_way;

    pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String> {
        Ok(smol::block_on(future))
    }

    pub(super) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Task {
        let task = smol::spawn(future);
        Box::pin(async {
            task.await;
            Ok(())
        })
    }

    pub(super) async fn sleep(span: Duration) {
        smol::Timer::after(span).await;
    }
}

/// As [`on_smol`]: there may be as many threads as processors.
mod on_async_std {
    pub(super) type Task = std::pin::Pin<Box<dyn Future<Output = Result<(), String>>>>;
    pub(super) use async_std::task::{sleep, yield_now as give_way};

    pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String> {
        Ok(async_std::task::block_on(future))
    }

    pub(super) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Task {
        let task = async_std::task::spawn(future);
        Box::pin(async {
            task.await;
            Ok(())
        })
    }
}

fn joined<E: std::fmt::Display>(outcome: Result<(), E>) -> Result<(), String> {
    outcome.map_err(|error| format!("a task failed: {error}"))
}

impl Subject for rtm_client_blocking::Client {
    type Start = rtm_client_blocking::Threaded;
    type Events = rtm_client_blocking::Events;
    type Task = std::pin::Pin<Box<dyn Future<Output = Result<(), String>>>>;

    fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String> {
        Ok(smol::future::block_on(future))
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self::Task {
        let thread = thread::spawn(|| smol::future::block_on(future));
        Box::pin(async { joined(thread.join().map_err(|_| "it panicked")) })
    }

    async fn sleep(span: Duration) {
        thread::sleep(span);
    }

    async fn give_way() {
        thread::yield_now();
    }

    async fn log_in(builder: Builder<Self::Start>) -> Result<Self, LoginError> {
        builder.login()
    }

    async fn log_out(&self) {
        self.logout();
    }

    fn destroy(&self) {
        self.abort();
    }

    fn is_online(&self) -> bool {
        matches!(self.state(), State::Online { .. })
    }

    async fn sent(reply: Self::Reply<SendMessage>) -> Result<(), RequestError> {
        reply.map(drop)
    }

    async fn answered(reply: Self::Reply<Custom>) -> Result<(), RequestError> {
        reply.map(drop)
    }

    fn reader(&self) -> Self::Events {
        self.events()
    }

    async fn next(events: &mut Self::Events, limit: Duration) -> Option<Event> {
        events.recv_timeout(limit).ok()
    }
}
