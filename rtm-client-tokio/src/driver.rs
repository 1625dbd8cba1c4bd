//! Sockets and time of tokio, for the loop that drives a client.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::future;
use rtm_proto::Instant;
use rtm_proto::handle::{ReadBuffer, Runtime};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::yield_now;
use tokio::time::Sleep;

/// The runtime a client's driver runs on.
pub(crate) struct OnTokio {
    epoch: tokio::time::Instant,
    /// Made when it is needed, by the task that needs it: a runtime without
    /// time must not panic in the application's face.
    timer: Option<Pin<Box<Sleep>>>,
}

impl OnTokio {
    /// `epoch` is where the client's time begins.
    pub(crate) const fn new(epoch: tokio::time::Instant) -> Self {
        OnTokio { epoch, timer: None }
    }
}

impl Runtime for OnTokio {
    type Socket = TcpStream;

    async fn dial(host: String, port: u16) -> io::Result<TcpStream> {
        let addresses: Vec<_> = match host.parse::<IpAddr>() {
            Ok(address) => vec![(address, port).into()],
            Err(_) => lookup_host((host.as_str(), port)).await?.collect(),
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
        // A read that leaves room in the buffer tells tokio that the socket is
        // empty, which saves the read that would find it so.
        ready!(pin!(stream.read_buf(buffer.space())).poll(cx))?;
        Poll::Ready(Ok(buffer.take()))
    }

    fn poll_write(
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(stream.poll_write_ready(cx))?;
                }
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let at = self.epoch + deadline.as_duration();
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx)
    }

    /// A task that wakes itself is polled dozens of times before the future
    /// that `block_on` was given, which may be the one that reads the events.
    fn give_way(cx: &mut Context<'_>) {
        let _ = pin!(yield_now()).poll(cx);
    }
}
