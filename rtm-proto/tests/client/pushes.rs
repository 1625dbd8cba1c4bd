//! Pushes: answers before deliveries, order, duplicates, the unknown and the
//! broken.

use rtm_proto::payload::CodecErrorKind;
use rtm_proto::{Client, Config, ConnId, Event, Input, Output};

use crate::support::{
    Act, Answered, Node, START, TICK, UNIX, World, answer, map, ms, one_way, push, push_json, secs,
    tcp_config,
};

fn online(config: Config) -> World {
    World::tcp(config).node("gate", Node::quiet_gate()).online()
}

fn body(mid: i64, text: &str) -> rmpv::Value {
    map(&[
        ("from", 1.into()),
        ("mtype", 30.into()),
        ("mid", mid.into()),
        ("msg", text.into()),
        ("attrs", "".into()),
    ])
}

fn in_room(rid: i64, from: i64, mid: i64) -> rmpv::Value {
    map(&[
        ("rid", rid.into()),
        ("from", from.into()),
        ("mtype", 30.into()),
        ("mid", mid.into()),
        ("msg", "x".into()),
    ])
}

fn answers(world: &World) -> Vec<Answered> {
    let answers = world.log.push_answers.iter();
    answers.map(|(_, answered)| answered.clone()).collect()
}

fn empty(seq: u32) -> Answered {
    let body = vec![0x80];
    Answered {
        seq,
        status: 0,
        body,
    }
}

#[test]
fn two_way_pushes_get_an_empty_map_in_their_own_encoding_and_one_way_nothing() {
    let mut world = online(tcp_config());
    world.send(push(0, "pushmsg", &body(1, "a")));
    world.send(push_json(
        u32::MAX,
        "pushmsg",
        r#"{"from":1,"mtype":30,"mid":2,"msg":"b"}"#,
    ));
    world.send(one_way("pushmsg", &body(3, "c")));
    let json = Answered {
        seq: u32::MAX,
        status: 0,
        body: b"{}".to_vec(),
    };
    assert_eq!(answers(&world), [empty(0), json]);
    assert_eq!(world.log.texts(), ["a", "b", "c"]);
}

#[test]
fn when_an_event_comes_out_its_answer_is_ready_to_be_sent() {
    let mut client = Client::new(tcp_config(), 1, START, UNIX);
    let conn = client_online(&mut client);
    let mut data = push(5, "pushmsg", &body(1, "a")).to_vec();
    data.extend_from_slice(&push(6, "pushmsg", &body(1, "a")));
    let data = data.into();
    client.handle_input(START, Input::Received { conn, data });
    let bytes = client.poll_transmit(conn).unwrap();
    assert_eq!(bytes.len(), 2 * 17, "duplicates are answered too");
    assert!(matches!(
        client.poll_output(),
        Output::Event(Event::Message(_))
    ));
}

/// Logs a client in by hand.
fn client_online(client: &mut Client) -> ConnId {
    client.login(START);
    let conn = loop {
        match client.poll_output() {
            Output::Connect { conn, .. } => break conn,
            Output::Wait { .. } => panic!("no connection was asked for"),
            _ => {}
        }
    };
    client.handle_input(START, Input::Connected { conn });
    while client.poll_transmit(conn).is_some() {}
    let data = answer(1, &map(&[("ok", true.into())]));
    client.handle_input(START, Input::Received { conn, data });
    while client.has_output() {
        client.poll_output();
    }
    conn
}

#[test]
fn pushes_keep_the_order_of_the_wire() {
    let mut world = online(tcp_config());
    let mut bytes = Vec::new();
    for mid in 1..=500 {
        bytes.extend_from_slice(&push(mid, "pushmsg", &body(mid.into(), &mid.to_string())));
    }
    world.piece = 37;
    world.act(world.conn(), Act::Raw(bytes.into()));
    let expected: Vec<String> = (1..=500).map(|mid| mid.to_string()).collect();
    assert_eq!(world.log.texts(), expected);
    let seqs: Vec<u32> = answers(&world)
        .iter()
        .map(|answered| answered.seq)
        .collect();
    assert_eq!(seqs, (1..=500).collect::<Vec<u32>>());
}

#[test]
fn an_unknown_push_is_refused_and_told_with_its_body() {
    let mut world = online(tcp_config());
    world.send(push(1, "pushsomething", &map(&[("x", 1.into())])));
    world.send(push_json(2, "pushsomething", r#"{"x":1}"#));
    world.send(one_way("pushsomething", &map(&[("x", 1.into())])));
    let answers = answers(&world);
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answered| answered.status != 0));
    let refused = rmpv::decode::read_value(&mut &answers[0].body[..]).unwrap();
    assert_eq!(refused.as_map().unwrap()[0].1.as_i64(), Some(20_004));
    assert!(String::from_utf8_lossy(&answers[1].body).contains("20004"));
    let told = world.log.events.iter().filter(|(_, event)| {
        matches!(event, Event::Unknown { method, payload }
            if method == "pushsomething" && !payload.as_bytes().is_empty())
    });
    assert_eq!(told.count(), 3);
    assert!(world.client.state().is_online());
}

#[test]
fn a_push_that_cannot_be_understood_is_answered_and_told_and_harms_nothing() {
    let mut world = online(tcp_config());
    let no_sender = map(&[("mtype", 30.into()), ("msg", "x".into())]);
    world.send(push(1, "pushmsg", &no_sender));
    world.send(push(2, "pushroommsg", &body(1, "no room")));
    world.send(push(3, "kickoutroom", &map(&[])));
    world.send(push(4, "pushmsg", &body(2, "fine")));
    assert_eq!(answers(&world), [empty(1), empty(2), empty(3), empty(4)]);
    let kinds: Vec<CodecErrorKind> = world
        .log
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Undecodable { error, .. } => Some(error.kind()),
            _ => None,
        })
        .collect();
    assert_eq!(kinds.len(), 3);
    assert_eq!(world.log.texts(), ["fine"]);
}

#[test]
fn a_ping_is_answered_and_told() {
    let mut world = online(tcp_config());
    world.send(push(8, "ping", &map(&[])));
    assert_eq!(answers(&world), [empty(8)]);
    assert_eq!(world.log.pushes(), ["ping"]);
}

#[test]
fn a_repetition_is_dropped_until_the_lifetime_from_the_first_sighting_is_over() {
    let config = tcp_config()
        .duplicate_lifetime(secs(5))
        .max_ping_interval(None);
    let mut world = online(config);
    world.send(push(1, "pushmsg", &body(9, "first")));
    // A repetition in between does not renew.
    world.run_to(secs(3));
    world.send(push(2, "pushmsg", &body(9, "again")));
    world.run_to(secs(5) - TICK);
    world.send(push(3, "pushmsg", &body(9, "again")));
    assert_eq!(world.log.texts(), ["first"]);
    world.run_to(secs(5));
    world.send(push(4, "pushmsg", &body(9, "anew")));
    assert_eq!(world.log.texts(), ["first", "anew"]);
    assert_eq!(answers(&world).len(), 4);
}

#[test]
fn the_default_lifetime_is_twenty_minutes() {
    let mut world = online(tcp_config().max_ping_interval(None));
    world.send(push(1, "pushmsg", &body(9, "first")));
    world.run_to(secs(1200) - TICK);
    world.send(push(2, "pushmsg", &body(9, "again")));
    assert_eq!(world.log.texts().len(), 1);
    world.run_to(secs(1200));
    world.send(push(3, "pushmsg", &body(9, "anew")));
    assert_eq!(world.log.texts().len(), 2);
}

#[test]
fn kind_target_sender_and_id_tell_messages_apart() {
    let mut world = online(tcp_config());
    let group = |gid: i64| {
        map(&[
            ("gid", gid.into()),
            ("from", 1.into()),
            ("mtype", 30.into()),
            ("mid", 9.into()),
            ("msg", "x".into()),
        ])
    };
    for (method, body) in [
        ("pushroommsg", in_room(1, 1, 9)),
        ("pushroommsg", in_room(2, 1, 9)),
        ("pushroommsg", in_room(1, 2, 9)),
        ("pushroommsg", in_room(1, 1, 10)),
        ("pushgroupmsg", group(1)),
        ("pushgroupmsg", group(2)),
        ("pushmsg", body(9, "x")),
        ("pushbroadcastmsg", body(9, "x")),
    ] {
        let before = world.log.texts().len();
        world.send(push(1, method, &body));
        world.send(push(2, method, &body));
        assert_eq!(world.log.texts().len(), before + 1, "{method} {body}");
    }
}

#[test]
fn messages_without_an_id_and_a_filter_that_is_off_drop_nothing() {
    let mut world = online(tcp_config());
    let without = map(&[
        ("from", 1.into()),
        ("mtype", 30.into()),
        ("msg", "x".into()),
    ]);
    for body in [body(0, "x"), body(0, "x"), without.clone(), without] {
        world.send(push(1, "pushmsg", &body));
    }
    assert_eq!(world.log.texts().len(), 4);

    let mut world = online(tcp_config().duplicate_lifetime(ms(0)));
    world.send(push(1, "pushmsg", &body(9, "x")));
    world.send(push(2, "pushmsg", &body(9, "x")));
    assert_eq!(world.log.texts().len(), 2);
}

#[test]
fn the_filter_survives_a_reconnect() {
    let mut world = online(tcp_config().auto_reconnect(true));
    world.send(push(1, "pushmsg", &body(9, "x")));
    world.act(world.conn(), Act::Reset);
    world.run_for(secs(1));
    assert!(world.client.state().is_online());
    world.send(push(1, "pushmsg", &body(9, "x")));
    assert_eq!(world.log.texts().len(), 1);
}

#[test]
fn of_more_than_65536_ids_the_oldest_is_forgotten() {
    let mut world = online(tcp_config());
    let mut send = |range: std::ops::RangeInclusive<i64>| {
        let mut bytes = Vec::new();
        for mid in range {
            bytes.extend_from_slice(&one_way("pushmsg", &body(mid, "x")));
        }
        world.act(world.conn(), Act::Raw(bytes.into()));
        world.log.texts().len()
    };
    assert_eq!(send(1..=65_536), 65_536);
    assert_eq!(send(1..=1), 65_536, "the first is still known");
    assert_eq!(send(65_537..=65_537), 65_537);
    assert_eq!(send(2..=2), 65_537, "the second is still known");
    assert_eq!(send(1..=1), 65_538, "the first was forgotten");
}

#[test]
fn pushes_before_the_auth_answer_are_answered_and_delivered() {
    let gate = Node::new(|_| {
        let early = Act::Send(push(3, "pushmsg", &body(1, "early")));
        vec![early, Act::after(secs(1), Act::welcome())]
    });
    let mut world = World::tcp(tcp_config()).node("gate", gate);
    world.login();
    world.run_for(ms(0));
    assert_eq!(answers(&world), [empty(3)]);
    assert_eq!(world.log.texts(), ["early"]);
    assert!(!world.client.state().is_online());
    world.run_for(secs(1));
    assert!(world.client.state().is_online());
}
