//! The client that is judged, whatever its runtime.

use std::sync::LazyLock;
use std::time::Duration;

use futures::StreamExt;
use rtm_proto::api::{
    Caller, DataApi, FileApi, FriendApi, GroupApi, HistoryApi, LanguageApi, MessageApi, RoomApi,
    SessionApi, StoredMessageApi, UnreadApi, UploadApi, UserApi,
};
use rtm_proto::error::{BuildError, LoginError, RequestError};
use rtm_proto::handle::{Builder, Events, Start};
use rtm_proto::{Event, Request};
use smol::block_on;

/// The public surface that all clients share, made blocking: each record is
/// judged on a thread of its own.
pub(crate) trait Subject:
    Caller
    + DataApi
    + FileApi
    + FriendApi
    + GroupApi
    + HistoryApi
    + LanguageApi
    + MessageApi
    + RoomApi
    + SessionApi
    + StoredMessageApi
    + UnreadApi
    + UploadApi
    + UserApi
    + Clone
    + Send
    + Sync
    + 'static
{
    /// The type that starts such clients.
    type Start: Start<Client = Self>;

    /// Builds the client, without login.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::build`].
    fn build(builder: Builder<Self::Start>) -> Result<Self, BuildError>;

    /// Waits for a call to end.
    ///
    /// # Errors
    ///
    /// Those of the call.
    fn wait<R: Request>(&self, reply: Self::Reply<R>) -> Result<R::Response, RequestError>;

    /// Logs in.
    ///
    /// # Errors
    ///
    /// Those of the login.
    fn log_in(&self) -> Result<(), LoginError>;

    /// Logs out.
    fn log_out(&self);

    /// Ends everything at once.
    fn destroy(&self);

    /// The next event, if one comes within the limit.
    fn next_event(&self, limit: Duration) -> Option<Event>;

    /// A client whose calls have this time limit.
    #[must_use]
    fn limited(&self, limit: Duration) -> Self;
}

/// Where the tokio clients live; they are driven while the judge's threads block.
static TOKIO: LazyLock<std::io::Result<tokio::runtime::Runtime>> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
});

/// The asynchronous clients differ in how they are started and in nothing else.
macro_rules! asynchronous {
    ($client:ty, $start:ty, $build:expr) => {
        impl Subject for $client {
            type Start = $start;

            fn build(builder: Builder<Self::Start>) -> Result<Self, BuildError> {
                $build(builder)
            }

            fn wait<R: Request>(&self, reply: Self::Reply<R>) -> Result<R::Response, RequestError> {
                block_on(reply)
            }

            fn log_in(&self) -> Result<(), LoginError> {
                block_on(self.login()).map(drop)
            }

            fn log_out(&self) {
                block_on(self.logout());
            }

            fn destroy(&self) {
                self.abort();
            }

            fn next_event(&self, limit: Duration) -> Option<Event> {
                next_of(self.events(), limit)
            }

            fn limited(&self, limit: Duration) -> Self {
                self.with_timeout(limit)
            }
        }
    };
}

asynchronous!(
    rtm_client_tokio::Client,
    rtm_client_tokio::Tokio,
    build_on_tokio
);
asynchronous!(
    rtm_client_async_std::Client,
    rtm_client_async_std::AsyncStd,
    Builder::build
);
asynchronous!(
    rtm_client_async_std::smol::Client,
    rtm_client_async_std::smol::Smol,
    Builder::build
);

fn build_on_tokio(
    builder: Builder<rtm_client_tokio::Tokio>,
) -> Result<rtm_client_tokio::Client, BuildError> {
    let runtime = TOKIO.as_ref().map_err(|error| BuildError::Runtime {
        why: error.to_string(),
    })?;
    let _inside = runtime.enter();
    builder.build()
}

impl Subject for rtm_client_blocking::Client {
    type Start = rtm_client_blocking::Threaded;

    fn build(builder: Builder<Self::Start>) -> Result<Self, BuildError> {
        builder.build()
    }

    fn wait<R: Request>(&self, reply: Self::Reply<R>) -> Result<R::Response, RequestError> {
        reply
    }

    fn log_in(&self) -> Result<(), LoginError> {
        self.login().map(drop)
    }

    fn log_out(&self) {
        self.logout();
    }

    fn destroy(&self) {
        self.abort();
    }

    fn next_event(&self, limit: Duration) -> Option<Event> {
        self.events().recv_timeout(limit).ok()
    }

    fn limited(&self, limit: Duration) -> Self {
        self.with_timeout(limit)
    }
}

/// The next event of a stream, if one comes within the limit.
fn next_of(mut events: Events, limit: Duration) -> Option<Event> {
    let too_late = async {
        smol::Timer::after(limit).await;
        None
    };
    block_on(smol::future::or(events.next(), too_late))
}
