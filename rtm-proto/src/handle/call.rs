//! A call as a future.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll, Waker, ready};

use super::shared::{Shared, Waiter};
use crate::error::{RequestError, RequestErrorKind};
use crate::payload::Payload;
use crate::request::{CallId, Context, Request, RequestOptions};

/// A call: a future that gives the response, on any runtime.
///
/// It is lazy: nothing is sent, and no deadline runs, before it is polled.
///
/// # Cancel safety
///
/// Dropping it ends the call: nothing of it is left behind, and a late answer
/// is ignored. What was sent before may still be carried out by the server.
#[must_use = "a call does nothing unless polled, for example by `.await`"]
pub struct Call<R: Request> {
    shared: Arc<Shared>,
    request: R,
    options: RequestOptions,
    stage: Stage,
}

enum Stage {
    New,
    Pending(CallId),
    Ended(Context, Result<Payload, RequestError>),
    /// It was not even accepted.
    Refused(RequestError),
    Done,
}

// Nothing in it is pinned, whatever the request is.
impl<R: Request> Unpin for Call<R> {}

impl<R: Request> Call<R> {
    pub(super) const fn new(shared: Arc<Shared>, request: R, options: RequestOptions) -> Self {
        Call {
            shared,
            request,
            options,
            stage: Stage::New,
        }
    }

    /// The same call with a time limit of its own.
    pub fn timeout(mut self, limit: core::time::Duration) -> Self {
        self.options = self.options.timeout(limit);
        self
    }

    /// Waits for the end of the call without reading its answer.
    ///
    /// For those who hold something while they wait that should not be held
    /// while the answer is decoded, which is the work of
    /// [`poll`](Future::poll).
    pub fn poll_end(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        match self.stage {
            Stage::New => self.start(cx.waker()),
            Stage::Pending(call) => self.look(call, cx.waker()),
            Stage::Ended(..) | Stage::Refused(_) => Poll::Ready(()),
            Stage::Done => Poll::Pending,
        }
    }

    fn start(&mut self, waker: &Waker) -> Poll<()> {
        let now = self.shared.now();
        let mut core = self.shared.lock();
        match core.client.request(now, &self.request, self.options) {
            Ok(call) => {
                core.waiters.insert(call.0, Waiter::Pending(waker.clone()));
                self.stage = Stage::Pending(call);
                let doorbell = core.doorbell.take();
                drop(core);
                doorbell.into_iter().for_each(Waker::wake);
                Poll::Pending
            }
            Err(error) => {
                drop(core);
                self.stage = Stage::Refused(error);
                Poll::Ready(())
            }
        }
    }

    fn look(&mut self, call: CallId, waker: &Waker) -> Poll<()> {
        let mut core = self.shared.lock();
        match core.waiters.get_mut(call.0) {
            Some(Waiter::Pending(known)) => {
                let changed = !known.will_wake(waker);
                let replaced = changed.then(|| core::mem::replace(known, waker.clone()));
                // The task it belongs to may end with it, and hold a call.
                drop(core);
                drop(replaced);
                return Poll::Pending;
            }
            Some(Waiter::Done(..)) => {}
            None => return Poll::Pending,
        }
        let waiter = core.waiters.remove(call.0);
        drop(core);
        match waiter {
            Some(Waiter::Done(context, result)) => {
                self.stage = Stage::Ended(context, result);
                Poll::Ready(())
            }
            _ => Poll::Pending,
        }
    }

    fn decode(
        &self,
        context: &Context,
        result: Result<Payload, RequestError>,
    ) -> Result<R::Response, RequestError> {
        self.request.decode(context, result?).map_err(|error| {
            RequestError::new(self.request.method(), RequestErrorKind::Decode(error))
                .with_message_id(context.message_id)
        })
    }
}

impl<R: Request> Future for Call<R> {
    type Output = Result<R::Response, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        ready!(self.poll_end(cx));
        match core::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Ended(context, result) => Poll::Ready(self.decode(&context, result)),
            Stage::Refused(error) => Poll::Ready(Err(error)),
            other => {
                self.stage = other;
                Poll::Pending
            }
        }
    }
}

impl<R: Request> Drop for Call<R> {
    fn drop(&mut self) {
        if let Stage::Pending(call) = self.stage {
            let mut core = self.shared.lock();
            core.client.cancel(call);
            let waiter = core.waiters.remove(call.0);
            // A file's connection is to be closed, which nobody else would
            // tell the driver.
            let doorbell = core.client.has_output().then(|| core.doorbell.take());
            // The waker inside may run foreign code when dropped.
            drop(core);
            drop(waiter);
            doorbell.flatten().into_iter().for_each(Waker::wake);
        }
    }
}

impl<R: Request> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.request.method())
            .finish_non_exhaustive()
    }
}
