//! A scripted server on a real socket, for one record.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Message, WebSocket};

use crate::package::{self, Package};
use crate::value::Value;

/// How long the judge waits for something the client should do at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What a client did.
#[derive(Debug)]
pub(crate) enum What {
    /// It sent a package.
    Package(Arrived),
    /// Its connection is over.
    Closed,
    /// It sent something that is no package.
    Broken(String),
}

/// A package and how it came.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// The package.
    pub(crate) package: Package,
    /// Whether it was one whole WebSocket message.
    pub(crate) alone: bool,
    /// Path of the WebSocket request.
    pub(crate) path: String,
    /// The address that a proxied message carries.
    pub(crate) wrapped_for: Option<String>,
}

/// What the server does next on a connection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Waits for the judge.
    Hold(Hold),
    /// Sends one WebSocket message.
    Message(Vec<u8>),
    /// Sends one WebSocket message in these fragments.
    Fragments(Vec<Vec<u8>>),
    /// Pauses.
    Wait(Duration),
    /// Closes the WebSocket with this code.
    Close(u16),
    /// Drops the TCP connection.
    Drop,
}

/// Where a script waits until the judge lets it go on, or has given up.
#[derive(Clone, Debug)]
pub(crate) struct Hold(Arc<Mutex<Receiver<()>>>);

/// Lets a script go on, when used or dropped.
pub(crate) struct Go(Sender<()>);

impl Hold {
    /// A place to wait, and what ends it.
    pub(crate) fn new() -> (Hold, Go) {
        let (go, hold) = mpsc::channel();
        (Hold(Arc::new(Mutex::new(hold))), Go(go))
    }
}

impl Go {
    /// Lets the script go on.
    pub(crate) fn on(self) {
        drop(self.0);
    }
}

/// Decides what the server does when a package has come; the number counts the
/// packages of all connections, from 0.
pub(crate) trait Respond: Fn(usize, &Package) -> Vec<Step> + Send + Sync + 'static {}

impl<F: Fn(usize, &Package) -> Vec<Step> + Send + Sync + 'static> Respond for F {}

/// A running server; it ends when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Receiver<What>,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    respond: Box<dyn Respond>,
    proxy: bool,
    packages: AtomicUsize,
    stopping: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Server {
    /// Starts a server; `proxy` makes it unwrap what an RTMProxy would.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub(crate) fn start(proxy: bool, respond: impl Respond) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            respond: Box::new(respond),
            proxy,
            packages: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            streams: Mutex::new(Vec::new()),
        });
        let (tell, seen) = mpsc::channel();
        let acceptor = {
            let shared = shared.clone();
            thread::spawn(move || accept(&listener, &shared, &tell))
        };
        Ok(Server {
            address,
            seen,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// `host:port` of the server.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// What the client did next.
    ///
    /// # Errors
    ///
    /// A text, when nothing comes in time.
    pub(crate) fn next(&self, limit: Duration) -> Result<What, String> {
        self.seen.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => "the client sent nothing more".into(),
            RecvTimeoutError::Disconnected => "the server is gone".into(),
        })
    }

    /// The next package, passing over connections that end.
    ///
    /// # Errors
    ///
    /// A text, when none comes in time or the client sent rubbish.
    pub(crate) fn next_package(&self, limit: Duration) -> Result<Arrived, String> {
        loop {
            match self.next(limit)? {
                What::Package(arrived) => return Ok(arrived),
                What::Broken(why) => return Err(why),
                What::Closed => {}
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for stream in lock(&self.shared.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, tell: &Sender<What>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if let Ok(clone) = stream.try_clone() {
            lock(&shared.streams).push(clone);
        }
        let link = Link {
            shared: shared.clone(),
            tell: tell.clone(),
        };
        thread::spawn(move || link.serve(stream));
    }
}

/// Keeps the path of a WebSocket request.
struct NotePath<'p>(&'p mut String);

impl Callback for NotePath<'_> {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        request.uri().path().clone_into(self.0);
        Ok(response)
    }
}

/// One connection.
struct Link {
    shared: Arc<Shared>,
    tell: Sender<What>,
}

impl Link {
    fn serve(&self, stream: TcpStream) {
        // Small messages must not wait for each other's acknowledgement.
        let _ = stream.set_nodelay(true);
        let mut path = String::new();
        let note_path = NotePath(&mut path);
        if let Ok(mut socket) = tungstenite::accept_hdr(stream, note_path) {
            self.talk(&mut socket, &path);
        }
        self.tell(What::Closed);
    }

    /// Reads until the connection ends.
    fn talk(&self, socket: &mut WebSocket<TcpStream>, path: &str) {
        let mut rest = Vec::new();
        while let Ok(message) = socket.read() {
            let Message::Binary(bytes) = message else {
                if let Message::Text(_) = message {
                    self.tell(What::Broken("a text message".into()));
                }
                continue;
            };
            if let Err(why) = self.message(socket, path, &bytes, &mut rest) {
                self.tell(What::Broken(why));
                return;
            }
        }
    }

    fn message(
        &self,
        socket: &mut WebSocket<TcpStream>,
        path: &str,
        bytes: &[u8],
        rest: &mut Vec<u8>,
    ) -> Result<(), String> {
        let fresh = rest.is_empty();
        let wrapped_for = if self.shared.proxy {
            let (endpoint, data) = unwrap(bytes)?;
            rest.extend(data);
            Some(endpoint)
        } else {
            rest.extend(bytes);
            None
        };
        let mut first = true;
        while let Some(package) = Package::take(rest)? {
            let steps = self.arrived(
                package,
                fresh && first && rest.is_empty(),
                path,
                &wrapped_for,
            );
            first = false;
            for step in steps {
                // A client that hung up is noticed by the next read.
                let _ = perform(socket, step);
            }
        }
        Ok(())
    }

    fn arrived(
        &self,
        package: Package,
        alone: bool,
        path: &str,
        wrapped_for: &Option<String>,
    ) -> Vec<Step> {
        let index = self.shared.packages.fetch_add(1, Ordering::SeqCst);
        let steps = (self.shared.respond)(index, &package);
        self.tell(What::Package(Arrived {
            package,
            alone,
            path: path.to_owned(),
            wrapped_for: wrapped_for.clone(),
        }));
        steps
    }

    fn tell(&self, what: What) {
        // Nobody listens any more once the record is judged.
        let _ = self.tell.send(what);
    }
}

fn perform(socket: &mut WebSocket<TcpStream>, step: Step) -> Result<(), tungstenite::Error> {
    match step {
        Step::Message(bytes) => socket.send(Message::Binary(bytes.into())),
        Step::Fragments(parts) => {
            let last = parts.len().saturating_sub(1);
            for (index, part) in parts.into_iter().enumerate() {
                let data = if index == 0 {
                    Data::Binary
                } else {
                    Data::Continue
                };
                let frame = Frame::message(part, OpCode::Data(data), index == last);
                socket.send(Message::Frame(frame))?;
            }
            Ok(())
        }
        Step::Hold(hold) => {
            // An error means that the other end is gone, which is the signal.
            let _ = lock(&hold.0).recv();
            Ok(())
        }
        Step::Wait(span) => {
            thread::sleep(span);
            Ok(())
        }
        Step::Close(code) => socket.close(Some(CloseFrame {
            code: code.into(),
            reason: "".into(),
        })),
        Step::Drop => Ok(socket.get_ref().shutdown(Shutdown::Both)?),
    }
}

/// Takes a proxied message apart: the address it is for, and the data.
fn unwrap(bytes: &[u8]) -> Result<(String, Vec<u8>), String> {
    let message = package::msgpack_value(bytes)?;
    match (message.get("endpoint"), message.get("data")) {
        (Some(Value::Text(endpoint)), Some(Value::Bytes(data))) if message.entries().len() == 2 => {
            Ok((endpoint.clone(), data.clone()))
        }
        _ => Err(format!("{message} is no proxied message")),
    }
}
