//! Sockets and time of async-io, for the loop that drives a client.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant as StdInstant;

use async_io::Timer;
use async_net::{TcpStream, resolve};
use bytes::Bytes;
use futures::{AsyncRead, AsyncWrite, future};
use rtm_proto::Instant;
use rtm_proto::handle::{ReadBuffer, Runtime};

/// The runtime a client's driver runs on.
pub(crate) struct OnAsyncIo {
    epoch: StdInstant,
    timer: Timer,
    /// When the timer is set to fire.
    timer_at: Option<Instant>,
}

impl OnAsyncIo {
    /// `epoch` is where the client's time begins.
    pub(crate) fn new(epoch: StdInstant) -> Self {
        OnAsyncIo {
            epoch,
            timer: Timer::never(),
            timer_at: None,
        }
    }
}

impl Runtime for OnAsyncIo {
    type Socket = TcpStream;

    async fn dial(host: String, port: u16) -> io::Result<TcpStream> {
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![(address, port).into()],
            Err(_) => resolve((host.as_str(), port)).await?,
        };
        if addresses.is_empty() {
            let why = format!("{host} has no address");
            return Err(io::Error::new(io::ErrorKind::NotFound, why));
        }
        let attempts = addresses
            .into_iter()
            .map(|address| Box::pin(TcpStream::connect(address)));
        let (stream, _) = future::select_ok(attempts).await?;
        // Calls are small and waited for: never hold one back to fill a segment.
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn poll_read(
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Poll<io::Result<Bytes>> {
        let space = buffer.space();
        space.resize(space.capacity(), 0);
        let read = Pin::new(stream).poll_read(cx, space);
        let len = match &read {
            Poll::Ready(Ok(len)) => *len,
            _ => 0,
        };
        space.truncate(len);
        ready!(read)?;
        Poll::Ready(Ok(buffer.take()))
    }

    fn poll_write(
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(stream).poll_write(cx, bytes)
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.timer_at != Some(deadline) {
            self.timer_at = Some(deadline);
            self.timer.set_at(self.epoch + deadline.as_duration());
        }
        ready!(Pin::new(&mut self.timer).poll(cx));
        self.timer_at = None;
        Poll::Ready(())
    }
}
