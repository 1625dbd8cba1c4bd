//! The recorded login scenarios, one test each, named after the record.
//!
//! The client is set to the recorded SDK's behaviour where that is a setting;
//! connections are WebSockets, as they were in the recordings.

use std::time::Duration;

use rtm_proto::api::SendFile;
use rtm_proto::error::{Cause, ErrorCode, LoginErrorKind};
use rtm_proto::{Config, MessageId, MessageType, State, UserId};
use serde_json::Value as Json;

use crate::support::{Act, Node, Reach, World, bare_config, endpoint, map, ms, push, secs};

const RECORDS: &str = include_str!("../../../tests/vectors/login-scenarios.json");

/// Every record; each has a test below.
const TESTED: [&str; 24] = [
    "authclose-008",
    "autherror-010",
    "authtimeout-040",
    "bye-026",
    "bye-041",
    "connecttimeout-031",
    "connecttimeout-032",
    "connecttimeout-034",
    "destroy-013",
    "early-007",
    "file-014",
    "file-035",
    "gateclose-030",
    "kickout-025",
    "login-001",
    "login-006",
    "redirect-027",
    "refused-017",
    "refused-018",
    "refused-019",
    "token-021",
    "whichclose-003",
    "whicherror-004",
    "whichtimeout-037",
];

fn records() -> Vec<Json> {
    serde_json::from_str(RECORDS).unwrap()
}

fn record(id: &str) -> Json {
    let found = records().into_iter().find(|record| record["id"] == id);
    found.expect("no such record")
}

fn seed_config() -> Config {
    bare_config()
        .duplicate_lifetime(secs(5))
        .check_arguments(false)
}

/// Settings of a record with a given gate.
fn gate_given(auto_reconnect: bool) -> Config {
    seed_config()
        .gate(endpoint("gate:1"))
        .auto_reconnect(auto_reconnect)
}

/// Settings of a record that goes through dispatch.
fn dispatched(auto_reconnect: bool) -> Config {
    seed_config()
        .dispatch(endpoint("dispatch:1"))
        .auto_reconnect(auto_reconnect)
}

fn world(config: Config) -> World {
    let mut world = World::ws(config).node("dispatch", Node::dispatch("gate:1"));
    world.latency = ms(1);
    world
}

/// What the record calls a party's deed, counted in the log. A login event is
/// a session, or a refused token.
fn count(world: &World, what: &str) -> usize {
    let (who, deed) = what.split_once(": ").unwrap();
    let node = who.to_lowercase().replace(' ', "-");
    let log = &world.log;
    let here = |names: &[String]| names.iter().filter(|name| **name == node).count();
    match (who, deed) {
        ("client", "event login") => log.states().iter().filter(|s| is_login(s)).count(),
        ("client", "sendFile callback") => log.ends.len(),
        ("client", event) => {
            let name = event.strip_prefix("event ").unwrap();
            log.pushes().iter().filter(|push| **push == name).count()
        }
        (_, "connection opened") => here(&log.opened),
        (_, "connection closed") => here(&log.closed),
        (_, "receives an answer") => log.push_answers.len(),
        (_, quest) => {
            let method = quest.strip_prefix("receives ").unwrap();
            log.methods(&node).iter().filter(|m| **m == method).count()
        }
    }
}

fn is_login(state: &State) -> bool {
    match state {
        State::Online { .. } => true,
        State::Closed {
            cause: Cause::Login(error),
        } => *error.kind() == LoginErrorKind::TokenRefused,
        _ => false,
    }
}

fn failures(world: &World) -> usize {
    let states = world.log.states();
    let failed = |state: &&State| {
        matches!(
            state,
            State::Backoff { .. }
                | State::Closed {
                    cause: Cause::Login(_) | Cause::Lost(_)
                }
        )
    };
    states.iter().filter(failed).count()
}

/// Compares the log with the record's counts. `departures` do not bind; the
/// caller says why.
fn check(world: &World, id: &str, departures: &[&str]) {
    let record = record(id);
    for what in departures {
        assert!(
            record["expect_counts"].get(what).is_some(),
            "{id}: nothing to depart from: {what}"
        );
    }
    for (what, expected) in record["expect_counts"].as_object().into_iter().flatten() {
        if !departures.contains(&what.as_str()) {
            let expected = expected.as_u64().unwrap() as usize;
            assert_eq!(count(world, what), expected, "{id}: {what}");
        }
    }
    let at_least = record["expect_counts_at_least"].as_object();
    for (what, expected) in at_least.into_iter().flatten() {
        let expected = expected.as_u64().unwrap() as usize;
        assert!(count(world, what) >= expected, "{id}: {what}");
    }
    if record["expect_error_event"] == true {
        assert!(failures(world) > 0, "{id}: no error was reported");
    }
}

fn observed(id: &str, default: u64) -> Duration {
    let options = &record(id)["client_options"];
    ms(options["observe_ms"].as_u64().unwrap_or(default))
}

fn closed_with(world: &World) -> Cause {
    match world.client.state() {
        State::Closed { cause } => cause.clone(),
        state => panic!("not closed but {state}"),
    }
}

fn login_code(world: &World) -> ErrorCode {
    match closed_with(world) {
        Cause::Login(error) => error.code(),
        cause => panic!("closed because {cause}"),
    }
}

#[test]
fn authclose_008() {
    let gate = Node::new(|_| vec![Act::Close]);
    let mut world = world(dispatched(false)).node("gate", gate);
    world.login();
    world.run_to(observed("authclose-008", 0));
    check(&world, "authclose-008", &[]);
    assert_eq!(login_code(&world), ErrorCode::CORE_CONNECTION_CLOSED);
}

#[test]
fn autherror_010() {
    let gate = Node::new(|_| vec![Act::Error(200_024, "auth denied")]);
    let mut world = world(gate_given(false)).node("gate", gate);
    world.login();
    world.run_to(secs(1));
    check(&world, "autherror-010", &[]);
    assert_eq!(login_code(&world), ErrorCode::AUTH_DENIED);
    assert_eq!(count(&world, "client: event login"), 0);
}

#[test]
fn authtimeout_040() {
    let gate = Node::that_is(Reach::Served);
    let config = dispatched(true).connection_timeout(secs(3));
    let mut world = world(config).node("gate", gate);
    world.login();
    let asked_at = |world: &World| world.log.times("auth");
    world.run_to(secs(1));
    // The client sent it one latency before it arrived.
    let failed_at = asked_at(&world)[0] - ms(1) + secs(20);
    world.run_to(failed_at - crate::support::TICK);
    assert_eq!(failures(&world), 0);
    world.run_to(failed_at);
    check(&world, "authtimeout-040", &[]);
    // From here on we depart from the record: the SDK never retries a failed
    // auth on a living connection (its defect 9), we do.
    world.run_to(failed_at + ms(200));
    assert_eq!(asked_at(&world).len(), 2);
    assert_eq!(count(&world, "gate: connection closed"), 1);
}

#[test]
fn bye_026() {
    let mut world = world(dispatched(true)).node("gate", Node::gate());
    world.login();
    world.run_to(ms(200));
    world.logout();
    world.run_to(secs(5));
    check(&world, "bye-026", &[]);
    assert_eq!(closed_with(&world), Cause::LoggedOut);
}

#[test]
fn bye_041() {
    let mut world = world(gate_given(true)).node("gate", Node::quiet_gate());
    world.login();
    world.run_to(ms(200));
    world.logout();
    world.run_to(ms(200) + secs(5) - crate::support::TICK);
    assert_eq!(*world.client.state(), State::Closing);
    world.run_to(ms(200) + secs(5));
    assert_eq!(closed_with(&world), Cause::LoggedOut);
    // The bounded wait is 5 s, not the SDK's 20.
    world.run_to(secs(25));
    check(&world, "bye-041", &[]);
}

#[test]
fn connecttimeout_031() {
    let config = gate_given(false).connection_timeout(secs(1));
    let mut world = world(config).node("gate", Node::that_is(Reach::Mute));
    world.login();
    world.run_to(secs(1) - crate::support::TICK);
    assert_eq!(failures(&world), 0);
    world.run_to(secs(1));
    check(&world, "connecttimeout-031", &[]);
    assert_eq!(login_code(&world), ErrorCode::CORE_TIMEOUT);
}

#[test]
fn connecttimeout_032() {
    let config = dispatched(false).connection_timeout(secs(1));
    let mut world = world(config).node("dispatch", Node::that_is(Reach::Mute));
    world.login();
    world.run_to(secs(1));
    assert_eq!(login_code(&world), ErrorCode::CORE_TIMEOUT);
    world.run_to(observed("connecttimeout-032", 0));
    check(&world, "connecttimeout-032", &[]);
    assert_eq!(world.log.dialed.len(), 1);
}

#[test]
fn connecttimeout_034() {
    let config = dispatched(true).connection_timeout(secs(1));
    let mut world = world(config).node("dispatch", Node::that_is(Reach::Mute));
    world.login();
    world.run_to(observed("connecttimeout-034", 0));
    check(&world, "connecttimeout-034", &[]);
    let dialed: Vec<Duration> = world.log.dialed.iter().map(|(at, ..)| *at).collect();
    assert_eq!(dialed, [ms(0), ms(1100), ms(2200)]);
}

#[test]
fn destroy_013() {
    let mut world = world(gate_given(true)).node("gate", Node::gate());
    world.login();
    world.client.abort();
    world.settle();
    world.run_to(secs(5));
    check(&world, "destroy-013", &[]);
    assert_eq!(world.log.opened, [""; 0]);
    assert_eq!(world.log.quests.len(), 0);
    assert_eq!(world.log.dialed.len(), 1);
    assert_eq!(closed_with(&world), Cause::Aborted);
}

#[test]
fn early_007() {
    let body = map(&[
        ("from", 778_877.into()),
        ("mtype", 30.into()),
        ("mid", 5.into()),
        ("msg", "early".into()),
        ("attrs", "".into()),
    ]);
    let gate = Node::new(move |_| vec![Act::Send(push(1, "pushmsg", &body)), Act::refuse()]);
    let mut world = world(gate_given(false)).node("gate", gate);
    world.login();
    world.run_to(secs(1));
    check(&world, "early-007", &[]);
    assert_eq!(login_code(&world), ErrorCode::INVALID_AUTH_TOEKN);
}

/// A world that has sent a file; the gate answers `filetoken` with `token`,
/// the file gate does `then` when the file arrives.
fn sending_a_file(token: Act, then: Act) -> World {
    let gate = Node::new(move |asked| match asked.method.as_str() {
        "auth" => vec![Act::welcome()],
        "filetoken" => vec![token.clone()],
        _ => vec![Act::done()],
    });
    let mut world = world(gate_given(true))
        .node("gate", gate)
        .node("file-gate", Node::new(move |_| vec![then.clone()]));
    world.login();
    world.run_to(ms(100));
    let file = SendFile::new(UserId(1), MessageType::FILE, &b"content"[..]);
    world.call(&file.message_id(MessageId(5)));
    world.run_to(secs(5));
    world
}

/// The one error of the one call, which names the message.
fn call_code(world: &World) -> ErrorCode {
    let error = world.log.ends[0].3.as_ref().unwrap_err();
    assert_eq!(error.message_id(), Some(MessageId(5)));
    error.code()
}

#[test]
fn file_014() {
    let world = sending_a_file(Act::Error(200_033, "RTM_EC_EMPTY_PARAMETER"), Act::done());
    check(&world, "file-014", &[]);
    assert_eq!(call_code(&world), ErrorCode::EMPTY_PARAMETER);
    assert_eq!(world.log.dialed.len(), 1, "no file gate was asked");
    assert!(world.client.state().is_online());
}

#[test]
fn file_035() {
    let token = [("token", "T".into()), ("endpoint", "file-gate:1".into())];
    let world = sending_a_file(Act::Answer(map(&token)), Act::Close);
    check(&world, "file-035", &[]);
    assert_eq!(call_code(&world), ErrorCode::CORE_CONNECTION_CLOSED);
    assert!(world.client.state().is_online());
}

#[test]
fn gateclose_030() {
    let gate = Node::new(|asked| match asked.nth {
        1 | 2 => vec![Act::welcome(), Act::after(ms(200), Act::Close)],
        _ => vec![Act::welcome()],
    });
    let mut world = world(dispatched(true)).node("gate", gate);
    world.login();
    world.run_to(secs(3));
    // The SDK keeps its dispatch connection; we open one for each lookup.
    check(&world, "gateclose-030", &["dispatch: connection opened"]);
    assert_eq!(count(&world, "dispatch: connection opened"), 3);
    for delay in reconnect_delays(&world) {
        assert_eq!(delay, ms(100));
    }
}

/// From the loss of each session to the next attempt.
fn reconnect_delays(world: &World) -> Vec<Duration> {
    let mut lost = None;
    let mut delays = Vec::new();
    for (at, event) in &world.log.events {
        match event {
            rtm_proto::Event::State(State::Backoff { .. }) => lost = Some(*at),
            rtm_proto::Event::State(State::Connecting { .. }) => {
                delays.extend(lost.take().map(|lost| *at - lost));
            }
            _ => {}
        }
    }
    assert_eq!(delays.len(), 2);
    delays
}

#[test]
fn kickout_025() {
    let kickout = push(1, "kickout", &map(&[]));
    let gate = Node::new(move |_| {
        let kick = Act::after(ms(100), Act::Send(kickout.clone()));
        vec![Act::welcome(), kick]
    });
    let mut world = world(dispatched(true)).node("gate", gate);
    world.login();
    world.run_to(secs(5));
    check(&world, "kickout-025", &[]);
    assert_eq!(closed_with(&world), Cause::KickedOut);
}

#[test]
fn login_001() {
    let mut world = world(gate_given(false)).node("gate", Node::gate());
    world.login();
    world.run_to(secs(1));
    check(&world, "login-001", &[]);
    assert_eq!(world.log.methods("dispatch"), [""; 0]);
}

#[test]
fn login_006() {
    let mut world = world(gate_given(false)).node("gate", Node::gate());
    for _ in 0..3 {
        world.login();
    }
    world.run_to(secs(1));
    world.login();
    world.run_to(secs(2));
    check(&world, "login-006", &[]);
}

#[test]
fn redirect_027() {
    let config = seed_config().gate(endpoint("gate-a:1"));
    let mut world = world(config)
        .node("gate-a", Node::new(|_| vec![Act::redirect("gate-b:1")]))
        .node("gate-b", Node::gate());
    world.login();
    world.run_to(secs(1));
    check(&world, "redirect-027", &[]);
    match world.client.state() {
        State::Online { session } => assert_eq!(session.gate.to_string(), "ws://gate-b:1"),
        state => panic!("{state}"),
    }
}

#[test]
fn refused_017() {
    let mut world = world(gate_given(false)).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_to(secs(1));
    check(&world, "refused-017", &[]);
    assert_eq!(login_code(&world), ErrorCode::CORE_INVALID_CONNECTION);
    assert_eq!(world.log.dialed.len(), 1);
}

#[test]
fn refused_018() {
    let mut world = world(dispatched(false)).node("dispatch", Node::that_is(Reach::Refused));
    world.login();
    world.run_to(observed("refused-018", 0));
    check(&world, "refused-018", &[]);
    assert_eq!(world.log.dialed.len(), 1);
}

#[test]
fn refused_019() {
    let mut world = world(gate_given(true)).node("gate", Node::that_is(Reach::Refused));
    world.login();
    world.run_to(ms(450));
    check(&world, "refused-019", &[]);
    // The SDK forgets the gate and dials ws://undefined; we try the gate again,
    // in the same rhythm.
    let dialed: Vec<Duration> = world.log.dialed.iter().map(|(at, ..)| *at).collect();
    assert_eq!(dialed, [ms(0), ms(101), ms(202), ms(303), ms(404)]);
}

#[test]
fn token_021() {
    let gate = Node::new(|_| vec![Act::refuse()]);
    let mut world = world(gate_given(false)).node("gate", gate);
    world.login();
    world.run_to(secs(1));
    check(&world, "token-021", &[]);
    assert_eq!(login_code(&world), ErrorCode::INVALID_AUTH_TOEKN);
    // The SDK leaves the connection open; we close it.
    assert_eq!(count(&world, "gate: connection closed"), 1);
}

#[test]
fn whichclose_003() {
    let dispatch = Node::new(|_| vec![Act::Close]);
    let mut world = world(dispatched(false)).node("dispatch", dispatch);
    world.login();
    world.run_to(observed("whichclose-003", 0));
    check(&world, "whichclose-003", &[]);
}

#[test]
fn whicherror_004() {
    let dispatch = Node::new(|_| vec![Act::Error(20_004, "Unknow method")]);
    let mut world = world(dispatched(true)).node("dispatch", dispatch);
    world.login();
    world.run_to(observed("whicherror-004", 0));
    check(&world, "whicherror-004", &[]);
    match world.log.states().last() {
        Some(State::Backoff {
            cause: Cause::Login(error),
            ..
        }) => assert_eq!(error.code(), ErrorCode::CORE_UNKNOWN_METHOD),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whichtimeout_037() {
    let config = dispatched(false).connection_timeout(ms(1500));
    let mut world = world(config).node("dispatch", Node::that_is(Reach::Served));
    world.login();
    world.run_to(ms(1500));
    assert_eq!(failures(&world), 0);
    world.run_to(observed("whichtimeout-037", 0));
    check(&world, "whichtimeout-037", &[]);
    assert_eq!(login_code(&world), ErrorCode::CORE_TIMEOUT);
}

#[test]
fn every_record_has_a_test() {
    let records = records();
    let mut ids: Vec<&str> = records.iter().map(|r| r["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(TESTED[..], ids);
    let source = include_str!("login_scenarios.rs");
    for id in TESTED {
        let signature = format!("#[test]\nfn {}()", id.replace('-', "_"));
        assert!(source.contains(&signature), "{id} has no test");
    }
}
