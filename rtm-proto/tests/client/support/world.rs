//! The client, its sockets, the services and the clock, run as an adapter
//! would run them.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use rtm_proto::error::RequestError;
use rtm_proto::frame::{Answer, Frame, Quest};
use rtm_proto::{
    CallId, Client, Config, ConnId, Input, Instant, Output, Reason, Request, RequestOptions,
    Scheme, SocketEnd,
};

use super::log::{Answered, Asked, Log};
use super::service::{Act, Node, Reach};
use super::wire::{self, Wire};

/// The client's clock when a world begins; not zero, so that nothing works
/// only from zero.
pub(crate) const START: Instant = Instant::from_duration(Duration::from_secs(1000));
/// The wall clock when a world begins.
pub(crate) const UNIX: Duration = Duration::from_millis(1_591_322_544_000);

/// More turns without a step in time than any test needs.
const TURNS: u32 = 10_000;

struct Socket {
    node: String,
    nth: u32,
    wire: Wire,
    /// The client's side exists: not hung up, not reported as gone.
    live: bool,
    /// Nothing the client has to send is taken.
    stalled: bool,
    mute: bool,
    /// It is in the log as opened.
    counted: bool,
}

enum Happening {
    ToServer(Bytes),
    ToClient(Bytes),
    Does(Act),
    Connected,
    Refused,
    Gone(SocketEnd),
}

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) log: Log,
    pub(crate) now: Instant,
    pub(crate) latency: Duration,
    /// Bytes for the client come in pieces of at most this size.
    pub(crate) piece: usize,
    scheme: Scheme,
    nodes: BTreeMap<String, Node>,
    sockets: BTreeMap<ConnId, Socket>,
    due: BTreeMap<(Instant, u64), (ConnId, Happening)>,
    ticket: u64,
    wait: (Option<Instant>, Reason),
}

impl World {
    /// A world over plain streams.
    pub(crate) fn tcp(config: Config) -> Self {
        World::new(config, Scheme::Tcp)
    }

    /// A world in which every connection is a WebSocket.
    pub(crate) fn ws(config: Config) -> Self {
        World::new(config, Scheme::Ws)
    }

    fn new(config: Config, scheme: Scheme) -> Self {
        World {
            client: Client::new(config, 7, START, UNIX),
            log: Log::default(),
            now: START,
            latency: Duration::ZERO,
            piece: usize::MAX,
            scheme,
            nodes: BTreeMap::new(),
            sockets: BTreeMap::new(),
            due: BTreeMap::new(),
            ticket: 0,
            wait: (None, Reason::None),
        }
    }

    /// Adds or replaces the service at `host`.
    pub(crate) fn node(mut self, host: &str, node: Node) -> Self {
        self.set_node(host, node);
        self
    }

    pub(crate) fn set_node(&mut self, host: &str, mut node: Node) {
        if let Some(before) = self.nodes.get(host) {
            node.connections = before.connections;
        }
        self.nodes.insert(host.into(), node);
    }

    /// A world that has logged in at time zero.
    pub(crate) fn online(mut self) -> Self {
        self.login();
        self.run_for(Duration::ZERO);
        assert!(self.client.state().is_online(), "{}", self.client.state());
        self
    }

    pub(crate) fn login(&mut self) {
        self.client.login(self.now);
        self.settle();
    }

    pub(crate) fn logout(&mut self) {
        self.client.logout(self.now);
        self.settle();
    }

    pub(crate) fn try_call<R: Request>(
        &mut self,
        request: &R,
        options: RequestOptions,
    ) -> Result<CallId, RequestError> {
        let call = self.client.request(self.now, request, options);
        self.settle();
        call
    }

    pub(crate) fn call<R: Request>(&mut self, request: &R) -> CallId {
        self.try_call(request, RequestOptions::default()).unwrap()
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.client.handle_input(self.now, input);
        self.settle();
    }

    /// A tick that nobody asked for.
    pub(crate) fn tick(&mut self) {
        self.input(Input::Tick);
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now - START
    }

    /// What the client waits for.
    pub(crate) fn wait(&self) -> (Option<Duration>, Reason) {
        (self.wait.0.map(|at| at - START), self.wait.1)
    }

    /// The newest connection.
    pub(crate) fn conn(&self) -> ConnId {
        *self.sockets.last_key_value().expect("no connection yet").0
    }

    /// Makes the service at the other end of `conn` do something now.
    pub(crate) fn act(&mut self, conn: ConnId, act: Act) {
        self.schedule(Duration::ZERO, conn, Happening::Does(act));
        self.run_for(Duration::ZERO);
    }

    /// Makes the newest connection's service send a package now.
    pub(crate) fn send(&mut self, package: Bytes) {
        self.act(self.conn(), Act::Send(package));
    }

    /// From now on nothing is taken from the client on `conn`, or everything
    /// again.
    pub(crate) fn stall(&mut self, conn: ConnId, stalled: bool) {
        self.sockets.get_mut(&conn).unwrap().stalled = stalled;
        self.settle();
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        self.run_to(self.elapsed() + span);
    }

    /// Runs up to and including the moment `end` after the start.
    pub(crate) fn run_to(&mut self, end: Duration) {
        let end = START + end;
        let mut turns = 0;
        loop {
            self.settle();
            let delivery = self.due.first_key_value().map(|((at, _), _)| *at);
            let next = [delivery, self.wait.0].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= end) else {
                break;
            };
            turns = if next > self.now { 0 } else { turns + 1 };
            assert!(
                turns < TURNS,
                "time stands still at {next}: {:?}",
                self.wait
            );
            self.now = self.now.max(next);
            if delivery == Some(next) {
                let (_, (conn, happening)) = self.due.pop_first().unwrap();
                self.happen(conn, happening);
            } else {
                self.client.handle_input(self.now, Input::Tick);
            }
        }
        self.now = self.now.max(end);
    }

    /// Obeys the client until it has nothing more to say.
    pub(crate) fn settle(&mut self) {
        for _ in 0..TURNS {
            self.wait = loop {
                match self.client.poll_output() {
                    Output::Wait { deadline, reason } => break (deadline, reason),
                    output => self.obey(output),
                }
            };
            self.transmit();
            if !self.client.has_output() {
                return;
            }
        }
        panic!("the client does not come to rest");
    }

    fn transmit(&mut self) {
        let live = self.sockets.iter().filter(|(_, s)| s.live && !s.stalled);
        let conns: Vec<ConnId> = live.map(|(conn, _)| *conn).collect();
        for conn in conns {
            while let Some(bytes) = self.client.poll_transmit(conn) {
                assert!(!bytes.is_empty() && bytes.len() <= 64 * 1024);
                self.schedule(self.latency, conn, Happening::ToServer(bytes));
            }
        }
    }

    fn obey(&mut self, output: Output) {
        let at = self.elapsed();
        match output {
            Output::Connect { conn, host, .. } => self.dial(conn, host),
            Output::Disconnect { conn } => {
                self.log.hung_up.push((at, conn));
                let socket = self.sockets.get_mut(&conn).expect("never dialed");
                assert!(socket.live, "{conn:?} is gone already");
                socket.live = false;
                let node = socket.node.clone();
                self.log.closed.push(node);
            }
            Output::Answer {
                call,
                context,
                result,
            } => self.log.ends.push((at, call, context, result)),
            Output::Event(event) => self.log.events.push((at, event)),
            other => panic!("unexpected {other:?}"),
        }
    }

    fn dial(&mut self, conn: ConnId, host: String) {
        self.log.dialed.push((self.elapsed(), host.clone(), conn));
        let node = self.nodes.get_mut(&host).expect("no such host");
        let wire = match self.scheme {
            Scheme::Ws => Wire::websocket(),
            _ => Wire::stream(),
        };
        let happening = match node.reach {
            Reach::Served | Reach::Mute => Some(Happening::Connected),
            Reach::Refused => Some(Happening::Refused),
            Reach::Lost => None,
        };
        node.connections += 1;
        let socket = Socket {
            node: host,
            nth: node.connections,
            wire,
            live: true,
            stalled: false,
            mute: node.reach == Reach::Mute,
            counted: false,
        };
        self.sockets.insert(conn, socket);
        if let Some(happening) = happening {
            self.schedule(self.latency, conn, happening);
        }
    }

    fn schedule(&mut self, pause: Duration, conn: ConnId, happening: Happening) {
        self.ticket += 1;
        let at = self.now + pause;
        self.due.insert((at, self.ticket), (conn, happening));
    }

    fn happen(&mut self, conn: ConnId, happening: Happening) {
        let Some(socket) = self.sockets.get_mut(&conn) else {
            return;
        };
        match happening {
            Happening::ToServer(bytes) => self.serve(conn, bytes),
            Happening::Does(act) => self.perform(conn, None, act),
            _ if !socket.live => {}
            Happening::ToClient(data) => {
                self.client
                    .handle_input(self.now, Input::Received { conn, data });
            }
            Happening::Connected => self
                .client
                .handle_input(self.now, Input::Connected { conn }),
            Happening::Refused => {
                socket.live = false;
                let reason = "connection refused".into();
                let input = Input::ConnectFailed { conn, reason };
                self.client.handle_input(self.now, input);
            }
            Happening::Gone(reason) => {
                socket.live = false;
                let node = socket.node.clone();
                self.log.closed.push(node);
                let input = Input::Disconnected { conn, reason };
                self.client.handle_input(self.now, input);
            }
        }
    }

    fn serve(&mut self, conn: ConnId, bytes: Bytes) {
        let socket = self.sockets.get_mut(&conn).expect("never dialed");
        if socket.mute || socket.wire.ended {
            return;
        }
        let frames = socket.wire.feed(bytes);
        if socket.wire.is_open() && !socket.counted {
            socket.counted = true;
            self.log.opened.push(socket.node.clone());
        }
        self.flush(conn);
        for frame in frames {
            match frame {
                Frame::Answer(answer) => self.note_answer(conn, &answer),
                Frame::Quest(quest) => self.ask(conn, &quest),
            }
        }
    }

    fn note_answer(&mut self, conn: ConnId, answer: &Answer) {
        let answered = Answered {
            seq: answer.seq,
            status: answer.status,
            body: answer.payload.as_bytes().to_vec(),
        };
        self.log.push_answers.push((conn, answered));
    }

    fn ask(&mut self, conn: ConnId, quest: &Quest) {
        let socket = &self.sockets[&conn];
        let body = &mut &quest.payload.as_bytes()[..];
        let asked = Asked {
            at: self.elapsed(),
            node: socket.node.clone(),
            conn,
            nth: socket.nth,
            method: quest.method().into(),
            seq: quest.seq,
            body: rmpv::decode::read_value(body).unwrap(),
        };
        self.log.quests.push(asked.clone());
        let node = self.nodes.get_mut(&asked.node).expect("no such host");
        for act in (node.script)(&asked) {
            self.perform(conn, asked.seq, act);
        }
    }

    fn perform(&mut self, conn: ConnId, seq: Option<u32>, act: Act) {
        let socket = self.sockets.get_mut(&conn).expect("never dialed");
        if socket.wire.ended {
            return;
        }
        match act {
            Act::Answer(body) => {
                let seq = seq.expect("nothing to answer");
                socket.wire.send(wire::answer(seq, &body));
            }
            Act::Error(code, ex) => {
                let seq = seq.expect("nothing to answer");
                socket.wire.send(wire::error(seq, code, ex));
            }
            Act::Send(package) => socket.wire.send(package),
            Act::Raw(bytes) => socket.wire.send_raw(&bytes),
            Act::Close => socket.wire.close(),
            Act::Reset => {
                socket.wire.ended = true;
                let reason = SocketEnd::Failed("connection reset by peer".into());
                self.schedule(self.latency, conn, Happening::Gone(reason));
                return;
            }
            Act::After(pause, act) => {
                let act = match (seq, *act) {
                    (Some(seq), Act::Answer(body)) => Act::Send(wire::answer(seq, &body)),
                    (Some(seq), Act::Error(code, ex)) => Act::Send(wire::error(seq, code, ex)),
                    (_, act) => act,
                };
                return self.schedule(pause, conn, Happening::Does(act));
            }
        }
        self.flush(conn);
    }

    /// Moves what the service wrote towards the client.
    fn flush(&mut self, conn: ConnId) {
        let socket = self.sockets.get_mut(&conn).expect("never dialed");
        let mut bytes = socket.wire.take();
        let ended = socket.wire.ended;
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(self.piece));
            self.schedule(self.latency, conn, Happening::ToClient(piece));
        }
        if ended {
            self.schedule(self.latency, conn, Happening::Gone(SocketEnd::Eof));
        }
    }
}
