//! What the service does about packages: the way of a quest from the wire to its method and back.

use crate::area::{self, Cx};
use crate::clock::now_ms;
use crate::conn::{Conn, Due, Mode, Times};
use crate::faults::{Effect, Faults};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::seen::{Ended, PushAnswer, Quest, Recorder, Transport};
use crate::wire::package::{self, Kind, Package};
use crate::wire::{Encoding, Value};
use crate::world::World;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The fixed settings.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) project_id: u32,
    pub(crate) single_room: bool,
    pub(crate) rate_limit: Option<usize>,
    pub(crate) times: Times,
    /// Makes the tokens of one service differ from those of another.
    pub(crate) salt: u64,
}

/// Where the service listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) plain: u16,
    pub(crate) tls: u16,
}

impl Ports {
    /// The endpoint to tell to somebody who came by TLS or not: `host:port`.
    pub(crate) fn endpoint(&self, tls: bool) -> String {
        if tls {
            format!("localhost:{}", self.tls)
        } else {
            format!("127.0.0.1:{}", self.plain)
        }
    }
}

/// The state that all connections and the handle share.
pub(crate) struct Service {
    pub(crate) config: Config,
    pub(crate) ports: Ports,
    pub(crate) recorder: Recorder,
    pub(crate) faults: Faults,
    world: Mutex<World>,
    connections: AtomicU64,
    /// The next message id of `t_push`, where it names none.
    feed_mid: AtomicI64,
}

/// What is left to do by the task of the connection after a package.
#[derive(Debug)]
pub(crate) enum Reaction {
    Nothing,
    /// Send these bytes after this time.
    Later(Duration, Vec<u8>),
    /// Push many messages to the connection, as fast as it takes them.
    Feed(Feed),
    End(Ended),
    Reset,
}

/// The messages that `t_push` asked for.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) count: i64,
    pub(crate) method: String,
    pub(crate) mode: Mode,
    /// The payload of the message of this index.
    pub(crate) payload: area::FeedPayload,
}

/// A quest on its way.
struct Asked<'a> {
    conn: &'a Arc<Conn>,
    seq: Option<u32>,
    flag: u8,
    encoding: Encoding,
    method: &'a str,
    payload: &'a Value,
}

impl Service {
    pub(crate) fn new(config: Config, ports: Ports, world: World, record: bool) -> Self {
        Self {
            config,
            ports,
            recorder: Recorder::new(record),
            faults: Faults::default(),
            world: Mutex::new(world),
            connections: AtomicU64::new(1),
            feed_mid: AtomicI64::new(1),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn accept(&self, tls: bool, peer: SocketAddr) -> Arc<Conn> {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let transport = if tls { Transport::Tls } else { Transport::Tcp };
        self.recorder.opened(number, transport);
        Arc::new(Conn::new(number, tls, peer))
    }

    /// The connection is gone: so are its session and the rooms that the session was in.
    pub(crate) fn closed(&self, conn: &Conn, reason: Ended) {
        self.world().close_session(conn.number);
        conn.finish(reason);
        self.recorder.failed(conn.give_up_pushes());
        self.recorder.ended(conn.number, reason);
    }

    /// Does what is due on a connection; says when to look again, or why to end.
    pub(crate) fn tick(&self, conn: &Conn) -> Result<Instant, Ended> {
        let (due, next) = conn.due(&self.config.times);
        let Due {
            idle,
            ping,
            failed_pushes,
        } = due;
        self.recorder.failed(failed_pushes);
        if idle {
            return Err(Ended::Idle);
        }
        if ping {
            self.push(conn, "ping", &Value::EMPTY, Mode::TwoWay);
        }
        Ok(next)
    }

    pub(crate) fn push(&self, conn: &Conn, method: &str, payload: &Value, mode: Mode) {
        let encoding = match mode {
            Mode::TwoWay | Mode::OneWay => Encoding::Msgpack,
            Mode::Json => Encoding::Json,
        };
        let payload = encoding.encode(payload);
        self.push_encoded(
            conn,
            encoding.flag(),
            method,
            &payload,
            mode != Mode::OneWay,
        );
    }

    pub(crate) fn push_encoded(
        &self,
        conn: &Conn,
        flag: u8,
        method: &str,
        payload: &[u8],
        two_way: bool,
    ) {
        let limit = two_way.then_some(self.config.times.push);
        if two_way {
            self.recorder.pushed();
        }
        conn.push(flag, method, payload, limit, self.faults.has_defect_126());
    }

    /// Pushes one message to many; the fault of duplicates strikes here.
    pub(crate) fn push_to_all(&self, targets: &[Arc<Conn>], method: &str, payload: &Value) {
        if targets.is_empty() {
            return;
        }
        let encoded = Encoding::Msgpack.encode(payload);
        let times = if self.faults.duplicates_pushes() {
            2
        } else {
            1
        };
        for conn in targets {
            for _ in 0..times {
                self.push_encoded(conn, Encoding::Msgpack.flag(), method, &encoded, true);
            }
        }
    }

    pub(crate) fn package(&self, conn: &Arc<Conn>, package: Package) -> Reaction {
        conn.touch();
        let Package {
            kind,
            flag,
            encoding,
            payload,
        } = package;
        match kind {
            Kind::Answer { seq, status } => {
                self.answer(conn, seq, status, encoding, payload);
                Reaction::Nothing
            }
            Kind::Quest { seq, method } => {
                self.recorder.quest(|| Quest {
                    connection: conn.number,
                    method: method.clone(),
                    seq,
                    encoding,
                    payload: payload.clone(),
                    at: Instant::now(),
                });
                self.quest(&Asked {
                    conn,
                    seq,
                    flag,
                    encoding,
                    method: &method,
                    payload: &payload,
                })
            }
        }
    }

    fn answer(&self, conn: &Conn, seq: u32, status: u8, encoding: Encoding, payload: Value) {
        let swallow = self.faults.swallows_push_answers();
        let method = if swallow {
            conn.peek_push(seq)
        } else {
            conn.answered(seq)
        };
        let counts = method.is_some() && !swallow;
        self.recorder.answer(counts, || PushAnswer {
            connection: conn.number,
            method: method.unwrap_or_default(),
            seq,
            status,
            encoding,
            payload,
            at: Instant::now(),
        });
    }

    fn quest(&self, asked: &Asked<'_>) -> Reaction {
        // Key exchange belongs to encryption, which this service does not speak: as late or wrong keys do, it ends
        // the connection.
        if asked.method == "*key" {
            return Reaction::End(Ended::Malformed("*key"));
        }
        let effect = self.faults.effect(asked.method);
        match effect {
            Some(Effect::Close) => Reaction::End(Ended::Fault),
            Some(Effect::Reset) => Reaction::Reset,
            Some(Effect::Ignore) => Reaction::Nothing,
            Some(Effect::Error(code)) => self.reply(asked, Err(Refusal::code(code))),
            Some(Effect::Answer(payload)) => self.reply(asked, Ok(payload)),
            Some(Effect::RefuseToken) => self.reply(asked, Ok(refused_login(None))),
            Some(Effect::Redirect(gate)) => self.reply(asked, Ok(refused_login(Some(gate)))),
            Some(Effect::RedirectToSelf) => {
                let gate = self.ports.endpoint(asked.conn.tls);
                self.reply(asked, Ok(refused_login(Some(gate))))
            }
            // What follows is executed; the pushes of `t_push` and its answer come together or not at all.
            _ if asked.method == "t_push" => self.feed(asked),
            Some(Effect::LoseAnswer) => {
                let _ = self.execute(asked);
                Reaction::Nothing
            }
            Some(Effect::LoseAnswerAndClose) => {
                let _ = self.execute(asked);
                Reaction::End(Ended::Fault)
            }
            Some(Effect::Delay(time)) => {
                let outcome = self.execute(asked);
                match encode_reply(asked, outcome) {
                    Some(bytes) => Reaction::Later(time, bytes),
                    None => Reaction::Nothing,
                }
            }
            None => {
                let outcome = self.execute(asked);
                self.reply(asked, outcome)
            }
        }
    }

    fn reply(&self, asked: &Asked<'_>, outcome: Result<Value, Refusal>) -> Reaction {
        if let Some(bytes) = encode_reply(asked, outcome) {
            asked.conn.send(bytes, self.faults.has_defect_126());
        }
        Reaction::Nothing
    }

    fn feed(&self, asked: &Asked<'_>) -> Reaction {
        let take_mids = |count| self.feed_mid.fetch_add(count, Ordering::Relaxed);
        match area::feed(&Params(asked.payload), take_mids) {
            Err(refusal) => self.reply(asked, Err(refusal)),
            Ok(feed) => {
                self.reply(asked, Ok(Value::map([("n", feed.count.into())])));
                Reaction::Feed(feed)
            }
        }
    }

    fn execute(&self, asked: &Asked<'_>) -> Result<Value, Refusal> {
        let params = Params(asked.payload);
        match asked.method {
            "*ping" => Ok(Value::map([("ts", now_ms().into())])),
            "t_echo" => Ok(match asked.payload.get("v") {
                Some(value) => Value::map([("v", value.clone())]),
                None => return Err(Refusal::missing("v")),
            }),
            "which" => area::which(&params, &self.ports.endpoint(asked.conn.tls)),
            "auth" => area::auth(self, &mut self.world(), asked.conn, &params),
            "sendfile" | "sendgroupfile" | "sendroomfile" => {
                area::receive_file(self, &mut self.world(), asked.method, &params)
            }
            method => {
                let handler =
                    area::handler(method).ok_or_else(|| Refusal::unknown_method(method))?;
                let mut world = self.world();
                let uid = match world.sessions.get(&asked.conn.number) {
                    Some(session) => session.user,
                    None => return Err(Refusal::code(200022)),
                };
                if let Some(limit) = self.config.rate_limit {
                    world.users.entry(uid).or_default().count_call(limit)?;
                }
                let mut cx = Cx {
                    service: self,
                    world: &mut world,
                    conn: asked.conn,
                    uid,
                };
                handler(&mut cx, &params)
            }
        }
    }
}

fn refused_login(gate: Option<String>) -> Value {
    let gate = gate.map(|gate| ("gate", Value::from(gate)));
    Value::map([("ok", false.into())].into_iter().chain(gate))
}

/// The answer to a quest; `None` for a one-way quest.
fn encode_reply(asked: &Asked<'_>, outcome: Result<Value, Refusal>) -> Option<Vec<u8>> {
    let seq = asked.seq?;
    let (status, payload) = match outcome {
        Ok(payload) => (0, payload),
        Err(refusal) => (1, refusal.payload()),
    };
    let payload = asked.encoding.encode(&payload);
    Some(package::answer(asked.flag, seq, status, &payload))
}
