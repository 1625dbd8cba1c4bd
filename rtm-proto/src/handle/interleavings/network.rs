//! Sockets in memory, as the loop sees them.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use shuttle::future::{spawn, yield_now};
use shuttle::sync::Mutex;

use super::clock::Clock;
use super::service::{self, FILES};
use super::uploads::Open;
use crate::handle::{ReadBuffer, Runtime};
use crate::time::Instant;

/// A host where nobody listens.
pub(super) const NOBODY: &str = "nobody";

/// One direction of a connection.
#[derive(Default)]
struct Lane {
    bytes: BytesMut,
    is_closed: bool,
    reader: Option<Waker>,
}

/// One end of a connection; closes both directions when dropped.
pub(super) struct End {
    incoming: Arc<Mutex<Lane>>,
    outgoing: Arc<Mutex<Lane>>,
}

fn connection() -> (End, End) {
    let (up, down) = <(Arc<Mutex<Lane>>, Arc<Mutex<Lane>>)>::default();
    let near = End {
        incoming: down.clone(),
        outgoing: up.clone(),
    };
    let far = End {
        incoming: up,
        outgoing: down,
    };
    (near, far)
}

impl End {
    fn poll_read(&self, cx: &Context<'_>) -> Poll<Bytes> {
        let mut lane = self.incoming.lock().unwrap();
        if lane.bytes.is_empty() && !lane.is_closed {
            lane.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(lane.bytes.split().freeze())
    }

    /// What has arrived; nothing at the end.
    pub(super) async fn read(&self) -> Bytes {
        poll_fn(|cx| self.poll_read(cx)).await
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut lane = self.outgoing.lock().unwrap();
        if lane.is_closed {
            return Err(ErrorKind::BrokenPipe.into());
        }
        lane.bytes.extend_from_slice(bytes);
        let reader = lane.reader.take();
        drop(lane);
        reader.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        for lane in [&self.incoming, &self.outgoing] {
            let mut lane = lane.lock().unwrap();
            lane.is_closed = true;
            let reader = lane.reader.take();
            drop(lane);
            reader.into_iter().for_each(Waker::wake);
        }
    }
}

/// A runtime whose every host runs the [`service`].
pub(super) struct Network(pub(super) Clock);

impl Runtime for Network {
    type Socket = End;

    async fn dial(host: String, _: u16) -> io::Result<End> {
        // A connection takes a moment, in which anything may happen.
        yield_now().await;
        if host == NOBODY {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        let (near, far) = connection();
        let open = (host == FILES).then(Open::count);
        spawn(async move {
            service::serve(far).await;
            drop(open);
        });
        Ok(near)
    }

    fn poll_read(
        socket: &mut End,
        cx: &mut Context<'_>,
        _: &mut ReadBuffer,
    ) -> Poll<io::Result<Bytes>> {
        socket.poll_read(cx).map(Ok)
    }

    fn poll_write(socket: &mut End, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(socket.write(bytes).map(|()| bytes.len()))
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        self.0.poll(cx, deadline)
    }
}
