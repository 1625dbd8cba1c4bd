//! The thread of the service: listening, and moving the bytes of every connection.

use crate::conn::Conn;
use crate::outbox::Next;
use crate::seen::Ended;
use crate::service::{Feed, Reaction, Service};
use crate::wire::http;
use crate::wire::input::{Input, Item};
use crate::wire::websocket::PONG;
use crate::wirefault::{Socket, Wire, WireFault};
use futures::stream::{FuturesUnordered, StreamExt};
use futures_rustls::TlsAcceptor;
use smol::channel::Receiver;
use smol::future::{or, pending, yield_now};
use smol::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use smol::{Async, Timer};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// Bytes read at once.
const READ: usize = 8 << 10;
/// How long a connection that is ending may take to write what waits, and to notice the end.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long to wait after accepting failed, for want of file descriptors as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The sockets that are listened on.
pub(crate) struct Listeners {
    pub(crate) plain: TcpListener,
    pub(crate) tls: TcpListener,
}

/// What the handle asks of the thread. The thread confirms by dropping the sender.
pub(crate) enum Command {
    /// Close every connection and stop listening.
    Pause(std::sync::mpsc::Sender<()>),
    /// Listen again.
    Resume(Listeners),
    /// Be gone.
    Stop,
}

/// Serves until told to stop.
pub(crate) fn run(
    service: &Arc<Service>,
    acceptor: &TlsAcceptor,
    first: Listeners,
    commands: &Receiver<Command>,
) {
    let mut listeners = Some(first);
    smol::block_on(async {
        loop {
            let command = match listeners.take() {
                None => commands.recv().await,
                Some(current) => or(commands.recv(), serve(service, acceptor, current)).await,
            };
            match command {
                Ok(Command::Pause(confirm)) => drop(confirm),
                Ok(Command::Resume(again)) => listeners = Some(again),
                Ok(Command::Stop) | Err(_) => return,
            }
        }
    });
}

/// Serves for ever; every connection ends when this is dropped.
async fn serve<T>(service: &Arc<Service>, acceptor: &TlsAcceptor, listeners: Listeners) -> T {
    let plain = listen(service, listeners.plain, None);
    let tls = listen(service, listeners.tls, Some(acceptor));
    // The listeners come from a successful bind, so this fails only if the system refuses to watch them.
    let (Ok(()) | Err(_)) = or(plain, tls).await;
    pending().await
}

async fn listen(
    service: &Arc<Service>,
    listener: TcpListener,
    acceptor: Option<&TlsAcceptor>,
) -> io::Result<()> {
    let listener = Async::new(listener)?;
    let mut connections = FuturesUnordered::new();
    loop {
        let accepted = or(async { Some(listener.accept().await) }, async {
            while connections.next().await.is_some() {}
            pending().await
        });
        match accepted.await {
            Some(Ok((stream, peer))) => {
                connections.push(connection(Arc::clone(service), stream, peer, acceptor));
            }
            _ => {
                Timer::after(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Says that the connection is gone, also when its task is dropped half-way.
struct Presence<'a> {
    service: &'a Service,
    conn: &'a Conn,
    reason: Ended,
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.service.closed(self.conn, self.reason);
    }
}

async fn connection(
    service: Arc<Service>,
    stream: Async<TcpStream>,
    peer: SocketAddr,
    acceptor: Option<&TlsAcceptor>,
) {
    // Without it small answers may wait for acknowledgements; a socket that refuses is about to fail anyway.
    let _ = stream.get_ref().set_nodelay(true);
    let wire = service.faults.new_wire();
    let conn = service.accept(acceptor.is_some(), peer);
    let mut presence = Presence {
        service: &service,
        conn: &conn,
        reason: Ended::Stopped,
    };
    let socket = Socket::new(stream, Arc::clone(&wire));
    let task = Task {
        service: &service,
        conn: &conn,
        wire: &wire,
        jobs: RefCell::new(FuturesUnordered::new()),
    };
    let reason = match acceptor {
        None => task.run(socket).await,
        Some(acceptor) => {
            let handshake = async { acceptor.accept(socket).await.map_err(|_| Ended::Peer) };
            let limit = async {
                Timer::after(service.config.times.idle).await;
                Err(Ended::Idle)
            };
            match or(handshake, limit).await {
                Ok(stream) => task.run(stream).await,
                Err(reason) => reason,
            }
        }
    };
    presence.reason = if wire.is_cut() { Ended::Fault } else { reason };
}

type Job = Pin<Box<dyn Future<Output = ()>>>;

/// What a connection works with.
struct Task<'a> {
    service: &'a Arc<Service>,
    conn: &'a Arc<Conn>,
    wire: &'a Wire,
    jobs: RefCell<FuturesUnordered<Job>>,
}

/// Why reading ended.
enum Stop {
    /// End at once.
    Now(Ended),
    /// First write what waits.
    Flush(Ended),
    /// Everything is written, and the peer knows that nothing follows.
    Written(Ended),
}

impl Task<'_> {
    async fn run(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> Ended {
        let (mut reader, writer) = split(stream);
        let mut writing = pin!(self.write(writer));
        // Reading comes before the jobs, because what was read may have made one.
        let stop = or(
            self.read(&mut reader),
            or(
                async { Stop::Now(self.watch().await) },
                or(self.work(), writing.as_mut()),
            ),
        )
        .await;
        let reason = match stop {
            Stop::Now(reason) => return reason,
            Stop::Flush(reason) | Stop::Written(reason) => reason,
        };
        let unwritten = matches!(stop, Stop::Flush(_));
        let farewell = async {
            if unwritten {
                self.conn.finish(reason);
                writing.await;
            }
            drain(&mut reader).await;
        };
        let limit = match reason {
            // A file is more than a few last words.
            Ended::Served => self.service.config.times.idle,
            _ => FAREWELL,
        };
        let limit = async {
            Timer::after(limit).await;
        };
        or(farewell, limit).await;
        reason
    }

    async fn read<S: AsyncRead + Unpin>(&self, reader: &mut ReadHalf<S>) -> Stop {
        let mut input = Input::new();
        let mut chunk = vec![0; READ];
        loop {
            match reader.read(&mut chunk).await {
                Err(_) => return Stop::Now(Ended::Peer),
                Ok(0) => return Stop::Flush(Ended::Peer),
                Ok(len) => input.receive(&chunk[..len]),
            }
            loop {
                match input.next() {
                    // Quests before it were good and keep their answers.
                    Err(malformed) => return Stop::Flush(Ended::Malformed(malformed.0)),
                    Ok(None) => break,
                    Ok(Some(item)) => {
                        if let Some(stop) = self.item(item) {
                            return stop;
                        }
                    }
                }
            }
            // A peer that never stops sending must not keep its answers, or other peers, waiting.
            yield_now().await;
        }
    }

    fn item(&self, item: Item) -> Option<Stop> {
        match item {
            Item::Package(package) => {
                let reaction = self.service.package(self.conn, package);
                return self.react(reaction);
            }
            Item::Upgraded(response) => {
                self.conn.outbox.push(response.into_bytes());
                self.conn.set_websocket();
                self.service.recorder.upgraded(self.conn.number);
            }
            Item::Refused(response) => {
                self.conn.outbox.push(response.into_bytes());
                return Some(Stop::Flush(Ended::Malformed("upgrade")));
            }
            Item::File(name) => {
                let content = self.service.world().files.get(&name);
                let response = http::file_response(content.as_deref());
                self.conn.outbox.push(response);
                return Some(Stop::Flush(Ended::Served));
            }
            Item::Ping => self.conn.outbox.push(PONG.to_vec()),
            Item::Close => return Some(Stop::Now(Ended::Peer)),
        }
        None
    }

    fn react(&self, reaction: Reaction) -> Option<Stop> {
        match reaction {
            Reaction::Nothing => {}
            Reaction::End(reason) => return Some(Stop::Flush(reason)),
            Reaction::Reset => {
                self.wire.strike(WireFault::Reset);
                return Some(Stop::Now(Ended::Fault));
            }
            Reaction::Later(time, bytes) => {
                let (service, conn) = (Arc::clone(self.service), Arc::clone(self.conn));
                self.job(async move {
                    Timer::after(time).await;
                    conn.send(bytes, service.faults.has_defect_126());
                });
            }
            Reaction::Feed(feed) => {
                let (service, conn) = (Arc::clone(self.service), Arc::clone(self.conn));
                self.job(async move { pour(&service, &conn, &feed).await });
            }
        }
        None
    }

    fn job(&self, job: impl Future<Output = ()> + 'static) {
        self.jobs.borrow_mut().push(Box::pin(job));
    }

    async fn work<T>(&self) -> T {
        poll_fn(|cx| {
            let mut jobs = self.jobs.borrow_mut();
            while let Poll::Ready(Some(())) = jobs.poll_next_unpin(cx) {}
            Poll::Pending
        })
        .await
    }

    async fn write<S: AsyncWrite + Unpin>(&self, mut writer: WriteHalf<S>) -> Stop {
        loop {
            match self.conn.outbox.next().await {
                Next::Write(bytes) => {
                    let written = async {
                        writer.write_all(&bytes).await?;
                        writer.flush().await
                    };
                    if written.await.is_err() {
                        return Stop::Now(Ended::Peer);
                    }
                }
                Next::End(reason) => {
                    // The peer may be gone already.
                    let _ = writer.close().await;
                    return Stop::Written(reason);
                }
            }
        }
    }

    /// Waits for time, or for a peer that does not read, to end the connection.
    async fn watch(&self) -> Ended {
        or(self.tick(), async {
            self.conn.outbox.overflow().await;
            Ended::NotReading
        })
        .await
    }

    async fn tick(&self) -> Ended {
        loop {
            match self.service.tick(self.conn) {
                Err(reason) => return reason,
                Ok(at) => {
                    Timer::at(at).await;
                }
            }
        }
    }
}

/// Reads to the end: closing a socket with unread bytes would reset it, and the last words to the peer be lost.
async fn drain<S: AsyncRead + Unpin>(reader: &mut ReadHalf<S>) {
    let mut chunk = [0; 1024];
    while matches!(reader.read(&mut chunk).await, Ok(1..)) {}
}

async fn pour(service: &Service, conn: &Conn, feed: &Feed) {
    for index in 0..feed.count {
        if !conn.outbox.room().await {
            return;
        }
        service.push(conn, &feed.method, &feed.payload.of(index), feed.mode);
    }
}
