//! Files: token, connection, file, end; and whatever may go wrong at each step.

mod ends;
mod flow;
mod progress;
mod refusals;
mod repeats;
mod wire;

use std::time::Duration;

use rtm_proto::api::{Receipt, SendFile};
use rtm_proto::error::{CodecErrorKind, ErrorCode, RequestErrorKind};
use rtm_proto::{
    CallId, Config, ConnId, Event, FileSignature, GroupId, Input, MessageId, MessageType, Request,
    RequestOptions, RoomId, SocketEnd, State, UserId,
};
use serde_json::Value as Json;

use crate::support::{
    Act, Asked, Call, Node, Reach, TICK, World, answer, endpoint, map, ms, push, secs, ws_config,
};

/// Larger than what is handed out at once.
const SIZE: usize = 300_000;

/// A client of a gate that has nothing to say for a long time.
fn config() -> Config {
    ws_config().max_ping_interval(None)
}

fn file_of(size: usize) -> SendFile {
    SendFile::new(UserId(5), MessageType::IMAGE, vec![b'x'; size]).name("a.png")
}

fn file() -> SendFile {
    file_of(SIZE)
}

/// Permission number `nth`, for the file gate at `at`.
fn permit(nth: usize, at: &str) -> Act {
    let token = format!("token {nth}");
    Act::Answer(map(&[("token", token.into()), ("endpoint", at.into())]))
}

/// A gate that welcomes, gives a fresh file token each time, and answers `{}`
/// to the rest.
fn gate() -> Node {
    let mut tokens = 0;
    Node::new(move |asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        "filetoken" => {
            tokens += 1;
            vec![permit(tokens, "files:1")]
        }
        _ => vec![Act::done()],
    })
}

/// A gate that keeps silent about file tokens.
fn gate_without_tokens() -> Node {
    Node::new(|asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        "filetoken" => vec![],
        _ => vec![Act::done()],
    })
}

fn taken() -> Act {
    Act::Answer(map(&[("mtime", 1_591_322_544_001_i64.into())]))
}

/// A file gate that does the nth thing with the nth file, the last with the
/// rest.
fn files(acts: Vec<Vec<Act>>) -> Node {
    let mut sent = 0;
    Node::new(move |_| {
        sent += 1;
        acts[(sent - 1).min(acts.len() - 1)].clone()
    })
}

fn world_of(config: Config, files: Node) -> World {
    let world = World::ws(config).node("gate", gate());
    world.node("files", files).online()
}

fn world(acts: Vec<Vec<Act>>) -> World {
    world_of(config(), files(acts))
}

fn patient(tries: u8) -> RequestOptions {
    RequestOptions::default().resend_on_loss(tries)
}

/// The connections to the file gate, in order.
fn file_conns(world: &World) -> Vec<ConnId> {
    let dialed = world.log.dialed.iter();
    let files = dialed.filter(|(_, host, _)| host == "files");
    files.map(|(.., conn)| *conn).collect()
}

/// How many connections to the file gate have been closed.
fn closed(world: &World) -> usize {
    let closed = world.log.closed.iter();
    closed.filter(|node| *node == "files").count()
}

fn asked<'a>(world: &'a World, method: &str) -> Vec<&'a Asked> {
    let quests = world.log.quests.iter();
    quests.filter(|asked| asked.method == method).collect()
}

/// What was said about progress: when, how much, of how much.
fn progress(world: &World) -> Vec<(Duration, u64, u64)> {
    let events = world.log.events.iter();
    events
        .filter_map(|(at, event)| match event {
            Event::UploadProgress { sent, total, .. } => Some((*at, *sent, *total)),
            _ => None,
        })
        .collect()
}

fn receipt(world: &World, call: CallId) -> Receipt {
    let (_, _, context, result) = world.log.ends.iter().find(|end| end.1 == call).unwrap();
    file().decode(context, result.clone().unwrap()).unwrap()
}

/// Nothing is under way or handed out, the session lives and serves, and time
/// brings nothing more.
fn assert_only_the_session_is_left(world: &mut World) {
    assert_eq!(world.client.in_flight(), 0);
    for conn in file_conns(world) {
        assert!(world.client.poll_transmit(conn).is_none());
    }
    let ends = world.log.ends.len();
    let told = progress(world).len();
    let dialed = world.log.dialed.len();
    world.run_for(secs(1));
    let call = world.call(&Call("still.there"));
    world.run_for(secs(1));
    assert_eq!(world.log.end_of(call), Ok(()));
    assert_eq!(world.log.ends.len(), ends + 1);
    assert_eq!(progress(world).len(), told);
    assert_eq!(world.log.dialed.len(), dialed);
    assert!(world.client.state().is_online());
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// The gate has been asked for a token.
    Token,
    /// The socket is being connected.
    Dial,
    /// The socket is connected, the upgrade is not answered.
    Handshake,
    /// A part of the file has left.
    Sending,
    /// The file has left, the answer has not come.
    Answer,
}

const STEPS: [Step; 5] = [
    Step::Token,
    Step::Dial,
    Step::Handshake,
    Step::Sending,
    Step::Answer,
];

impl Step {
    /// Whether any of the file has left.
    fn has_sent(self) -> bool {
        matches!(self, Step::Sending | Step::Answer)
    }
}

/// A world whose one call hangs in `step` at 10 ms; it was made at 0.
fn stuck_in(step: Step, config: Config, options: RequestOptions) -> (World, CallId) {
    let files = match step {
        Step::Dial => Node::that_is(Reach::Lost),
        Step::Handshake => Node::that_is(Reach::Mute),
        _ => Node::that_is(Reach::Served),
    };
    let mut world = world_of(config, files);
    if step == Step::Token {
        world.set_node("gate", gate_without_tokens());
    }
    world.latency = ms(1);
    let call = world.try_call(&file(), options).unwrap();
    if step == Step::Sending {
        // The upgrade is on its way back.
        world.run_to(ms(4));
        let conn = world.conn();
        world.stall(conn, true);
        world.run_to(ms(10));
        assert!(world.client.poll_transmit(conn).is_some());
    }
    world.run_to(ms(10));
    assert_eq!(world.client.in_flight(), 1);
    assert_eq!(
        asked(&world, "sendfile").len(),
        usize::from(step == Step::Answer)
    );
    assert_eq!(!progress(&world).is_empty(), step.has_sent(), "{step:?}");
    (world, call)
}

fn stuck(step: Step) -> (World, CallId) {
    stuck_in(step, config(), RequestOptions::default())
}
