//! Faults on command, and the record of what came in.

use crate::peer::{LIMIT, Package, Peer, Via, field, map};
use rmpv::Value;
use rtm_gate::{Effect, Encoding, Ended, Gate, Mode, Times, Whom, WireFault};
use std::time::Duration;

const ALL: [Via; 4] = [Via::Tcp, Via::Ws, Via::Tls, Via::Wss];

fn send(peer: &mut Peer, mid: i64) -> i64 {
    let fields = [
        ("to", 1002.into()),
        ("mid", mid.into()),
        ("mtype", 30.into()),
        ("msg", "x".into()),
        ("attrs", "".into()),
    ];
    peer.code("sendmsg", &fields)
}

fn refused(gate: Option<&str>) -> Value {
    let mut fields = vec![("ok", false.into())];
    fields.extend(gate.map(|gate| ("gate", Value::from(gate))));
    map(&fields)
}

/// Answers every push until one of this method came.
fn answer_until(peer: &mut Peer, method: &str) -> Package {
    loop {
        let push = peer.push();
        if let (1, Some(seq)) = (push.mtype, push.seq) {
            peer.send_answer(push.flag, seq);
        }
        if push.method == method {
            return push;
        }
    }
}

#[test]
fn a_method_fails_as_often_as_asked() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    gate.faults()
        .on("sendmsg", Effect::Error(200011), Times::N(2));
    assert_eq!([(); 3].map(|()| send(&mut peer, 1)), [200011, 200011, 0]);
}

#[test]
fn an_answer_can_be_made_up() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let made_up = serde_json::json!({"uids": ["no id"]});
    gate.faults()
        .on("getfriends", Effect::Answer(made_up.into()), Times::Always);
    let answer = peer.call("getfriends", &map(&[]));
    assert_eq!(
        field(&answer.payload, "uids"),
        Value::Array(vec!["no id".into()])
    );
}

#[test]
fn ignored_quests_have_no_effect_and_lost_answers_have() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    gate.faults().on("enterroom", Effect::Ignore, Times::N(1));
    gate.faults()
        .on("enterroom", Effect::LoseAnswer, Times::N(1));
    for rid in [1, 2] {
        peer.send_quest("enterroom", &map(&[("rid", rid.into())]));
    }
    let rooms = peer.read_after("getuserrooms");
    assert_eq!(field(&rooms.payload, "rooms"), Value::Array(vec![2.into()]));
}

#[test]
fn a_lost_answer_and_a_closed_connection_leave_a_used_message_id() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    gate.faults()
        .on("sendmsg", Effect::LoseAnswerAndClose, Times::N(1));
    let fields = map(&[
        ("to", 1002.into()),
        ("mid", 5.into()),
        ("mtype", 30.into()),
        ("msg", "x".into()),
        ("attrs", "".into()),
    ]);
    peer.send_quest("sendmsg", &fields);
    peer.assert_closed();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    assert_eq!(send(&mut peer, 5), 200053);
}

#[test]
fn quests_can_close_or_reset_the_connection() {
    let gate = Gate::start().unwrap();
    for (effect, via) in [(Effect::Close, Via::Wss), (Effect::Reset, Via::Tcp)] {
        gate.faults().on_any(effect, Times::N(1));
        let mut peer = Peer::connect(&gate, via);
        peer.send_quest("*ping", &map(&[]));
        peer.assert_closed();
    }
    let ended =
        |n: usize| move |seen: &rtm_gate::Seen| seen.connections[n].ended == Some(Ended::Fault);
    assert!(gate.wait_for(ended(0), LIMIT) && gate.wait_for(ended(1), LIMIT));
}

#[test]
fn a_reset_is_a_reset() {
    use std::io::{ErrorKind, Read};
    let gate = Gate::start().unwrap();
    let mut stream = crate::peer::socket(&gate.gate().tcp);
    assert!(gate.wait_for(|seen| seen.open() == 1, LIMIT));
    gate.faults().reset_connections();
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn logins_can_be_redirected_and_refused() {
    let gate = Gate::start().unwrap();
    gate.faults().on(
        "auth",
        Effect::Redirect("10.0.0.2:13321".into()),
        Times::N(1),
    );
    gate.faults()
        .on("auth", Effect::RedirectToSelf, Times::N(1));
    gate.faults().on("auth", Effect::RefuseToken, Times::N(1));
    let mut peer = Peer::connect(&gate, Via::Wss);
    assert_eq!(
        peer.auth(&gate, 1001).payload,
        refused(Some("10.0.0.2:13321"))
    );
    let own = gate.gate().wss.replace("wss://", "");
    assert_eq!(peer.auth(&gate, 1001).payload, refused(Some(&own)));
    assert_eq!(peer.auth(&gate, 1001).payload, refused(None));
    assert_eq!(peer.auth(&gate, 1001).payload, map(&[("ok", true.into())]));
}

#[test]
fn pushes_can_be_duplicated() {
    let gate = Gate::start().unwrap();
    gate.faults().duplicate_pushes(true);
    let mut receiver = Peer::login(&gate, Via::Tcp, 1002);
    let mut sender = Peer::login(&gate, Via::Tcp, 1001);
    assert_eq!(send(&mut sender, 1), 0);
    let pushes = [(); 2].map(|()| receiver.push());
    assert_eq!(pushes[0].payload, pushes[1].payload);
    assert_ne!(pushes[0].seq, pushes[1].seq);
}

#[test]
fn answers_to_pushes_are_counted_and_can_be_swallowed() {
    let gate = Gate::builder()
        .push_timeout(Duration::from_millis(200))
        .start()
        .unwrap();
    let mut peer = Peer::login(&gate, Via::Ws, 1001);
    gate.push(1001, "pushmsg", rtm_gate::Value::EMPTY, Mode::Json);
    gate.push(1001, "kickoutroom", rtm_gate::Value::EMPTY, Mode::OneWay);
    answer_until(&mut peer, "kickoutroom");
    assert!(gate.wait_for(|seen| seen.pushes_answered == 1, LIMIT));
    let seen = gate.seen();
    let answer = seen.answers_of("pushmsg").next().unwrap();
    assert_eq!((answer.status, answer.encoding), (0, Encoding::Json));
    assert_eq!((seen.pushes_sent, seen.pushes_failed), (1, 0));
    gate.faults().swallow_push_answers(true);
    gate.push(1001, "pushmsg", rtm_gate::Value::EMPTY, Mode::TwoWay);
    answer_until(&mut peer, "pushmsg");
    assert!(gate.wait_for(|seen| seen.pushes_failed == 1, LIMIT));
    assert_eq!(gate.seen().pushes_answered, 1);
}

#[test]
fn pushes_that_nobody_answers_fail_with_time_or_with_the_connection() {
    let gate = Gate::start().unwrap();
    let peer = Peer::login(&gate, Via::Tcp, 1001);
    gate.push(1001, "pushmsg", rtm_gate::Value::EMPTY, Mode::TwoWay);
    assert_eq!(gate.seen().pushes_failed, 0);
    drop(peer);
    assert!(gate.wait_for(|seen| seen.pushes_failed == 1, LIMIT));
}

#[test]
fn sessions_are_pinged() {
    let gate = Gate::builder()
        .ping_interval(Duration::from_millis(50))
        .start()
        .unwrap();
    let mut peer = Peer::login(&gate, Via::Wss, 1001);
    for _ in 0..3 {
        let push = answer_until(&mut peer, "ping");
        assert_eq!(push.payload, map(&[]));
    }
    assert!(gate.wait_for(|seen| seen.answers_of("ping").count() >= 3, LIMIT));
}

#[test]
fn connections_are_cut_after_so_many_bytes_sent() {
    let gate = Gate::start().unwrap();
    for cut in [0, 1, 11, 16, 20] {
        gate.faults().wire(Whom::Next, WireFault::CutSent(cut));
        let mut peer = Peer::connect(&gate, Via::Tcp);
        peer.send_quest("t_echo", &map(&[("v", "x".into())]));
        assert_eq!(peer.read_to_end().len() as u64, cut);
    }
    let mut peer = Peer::connect(&gate, Via::Tcp);
    assert_eq!(peer.code("*ping", &[]), 0, "the next one is spared");
}

#[test]
fn connections_are_cut_after_so_many_bytes_received() {
    let gate = Gate::start().unwrap();
    for cut in [1, 12, 21] {
        gate.faults().wire(Whom::Next, WireFault::CutReceived(cut));
        let mut peer = Peer::connect(&gate, Via::Tcp);
        peer.send_quest("t_echo", &map(&[("v", "x".into())]));
        peer.assert_closed();
    }
    assert_eq!(gate.seen().count("t_echo"), 0);
}

#[test]
fn a_connection_is_reset_in_the_middle_of_a_package() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    assert_eq!(peer.code("*ping", &[]), 0);
    gate.faults().wire(Whom::Open, WireFault::ResetAfter(10));
    peer.send_quest("t_echo", &map(&[("v", "x".into())]));
    // A reset may take away what was sent before it.
    assert!(peer.read_to_end().len() <= 10);
    let ended = |seen: &rtm_gate::Seen| seen.connections[0].ended == Some(Ended::Fault);
    assert!(gate.wait_for(ended, LIMIT));
}

#[test]
fn what_is_sent_can_trickle() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    assert_eq!(peer.code("*ping", &[]), 0);
    let pace = Duration::from_millis(2);
    gate.faults().wire(Whom::Open, WireFault::Trickle(pace));
    let start = std::time::Instant::now();
    assert_eq!(peer.code("t_echo", &[("v", "x".into())]), 0);
    let took = start.elapsed();
    assert!(took >= pace * 20, "{took:?} for 21 bytes");
    gate.faults().clear();
    assert_eq!(peer.code("*ping", &[]), 0);
}

#[test]
fn open_connections_can_be_dropped_by_every_transport() {
    let gate = Gate::start().unwrap();
    let mut peers = ALL.map(|via| Peer::login(&gate, via, 1001));
    gate.faults().drop_connections();
    peers.iter_mut().for_each(Peer::assert_closed);
    assert!(gate.wait_for(|seen| seen.open() == 0, LIMIT));
    assert_eq!(gate.sessions(1001), 0);
}

#[test]
fn stalled_reads_and_writes_go_on_when_the_faults_end() {
    for fault in [WireFault::StallReads, WireFault::StallWrites] {
        let gate = Gate::start().unwrap();
        let mut peer = Peer::login(&gate, Via::Tls, 1001);
        gate.faults().wire(Whom::Open, fault);
        let seq = peer.send_quest("t_echo", &map(&[("v", "x".into())]));
        let executed = |seen: &rtm_gate::Seen| seen.count("t_echo") == 1;
        let reads = fault == WireFault::StallWrites;
        let limit = if reads {
            LIMIT
        } else {
            Duration::from_millis(50)
        };
        assert_eq!(gate.wait_for(executed, limit), reads);
        gate.faults().clear();
        assert_eq!(peer.answer_to(seq).code(), 0);
    }
}

#[test]
fn a_half_open_connection_hears_and_says_nothing() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    gate.faults().wire(Whom::Open, WireFault::Mute);
    peer.send_quest("t_echo", &map(&[("v", "x".into())]));
    assert!(gate.wait_for(|seen| seen.count("t_echo") == 1, LIMIT));
    gate.faults().clear();
    let answer = peer.call("*ping", &map(&[]));
    assert_ne!(field(&answer.payload, "ts"), Value::Nil);
    let mut other = Peer::login(&gate, Via::Tcp, 1001);
    assert_eq!(other.code("*ping", &[]), 0);
}

#[test]
fn restart_drops_connections_and_keeps_users_groups_and_ports() {
    let gate = Gate::start().unwrap();
    let token = gate.token(1001);
    let endpoints = gate.gate();
    gate.add_to_group(9, 1001);
    let mut peers = ALL.map(|via| Peer::login(&gate, via, 1001));
    gate.restart().unwrap();
    peers.iter_mut().for_each(Peer::assert_closed);
    assert_eq!((gate.gate(), gate.token(1001)), (endpoints, token));
    assert_eq!(gate.sessions(1001), 0);
    let mut again = ALL.map(|via| Peer::login(&gate, via, 1001));
    let groups = again[0].call("getusergroups", &map(&[]));
    let expected = vec![9.into(), gate.group().into()];
    assert_eq!(field(&groups.payload, "gids"), Value::Array(expected));
}

#[test]
fn a_stopped_service_refuses_connections_until_it_is_restarted() {
    let gate = Gate::start().unwrap();
    gate.stop();
    let address = gate.gate().tcp.replace("tcp://", "");
    assert!(std::net::TcpStream::connect(&address).is_err());
    gate.stop();
    gate.restart().unwrap();
    Peer::login(&gate, Via::Wss, 1001);
}

#[test]
fn dropping_the_gate_closes_everything() {
    let gate = Gate::start().unwrap();
    let mut peers = ALL.map(|via| Peer::login(&gate, via, 1001));
    drop(gate);
    peers.iter_mut().for_each(Peer::assert_closed);
}

#[test]
fn a_taken_port_is_an_error() {
    let gate = Gate::start().unwrap();
    let port = gate.gate().tcp.rsplit(':').next().unwrap().parse().unwrap();
    let error = Gate::builder().port(port).start().unwrap_err();
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    assert!(Gate::builder().port(65_535).start().is_err());
}

#[test]
fn raw_bytes_and_payloads_go_out_as_they_are() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Ws, 1001);
    assert_eq!(gate.send_bytes(1001, b"anything"), 1);
    assert_eq!(peer.read_frame(), Some((0x82, b"anything".to_vec())));
    let sent = gate.push_encoded(1001, "pushmsg", Encoding::Msgpack, &[0xc1], false);
    assert_eq!(sent, 1);
    let (_, package) = peer.read_frame().unwrap();
    assert!(package.ends_with(b"pushmsg\xc1"));
}

#[test]
fn a_flood_of_pushes_arrives_complete_and_in_order() {
    let gate = Gate::builder().record(false).start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Ws);
    let asked = [
        ("n", 20_000.into()),
        ("len", 200.into()),
        ("mid0", 7.into()),
    ];
    assert_eq!(peer.code("t_push", &asked), 0);
    for mid in 7..20_007 {
        assert_eq!(field(&peer.push().payload, "mid"), mid.into());
    }
    assert_eq!(gate.seen().pushes_sent, 20_000);
}

#[test]
fn pushes_without_an_id_of_their_own_never_repeat_one() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let mut mids = Vec::new();
    for _ in 0..3 {
        assert_eq!(peer.code("t_push", &[("n", 2.into())]), 0);
        mids.extend([(); 2].map(|()| field(&peer.push().payload, "mid").as_i64().unwrap()));
    }
    assert_eq!(mids, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_push_can_be_asked_for_in_every_mode() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let ask = |peer: &mut Peer, method: &str, mode: &str| {
        let fields = [
            ("n", 1.into()),
            ("method", method.into()),
            ("mode", mode.into()),
            ("mtype", 66.into()),
        ];
        assert_eq!(peer.code("t_push", &fields), 0);
        peer.push()
    };
    let push = ask(&mut peer, "pushgroupmsg", "twoway");
    assert_eq!((push.mtype, push.flag), (1, 0x80));
    assert_eq!(field(&push.payload, "gid"), 999_999.into());
    assert_eq!(field(&push.payload, "mtype"), 66.into());
    let push = ask(&mut peer, "pushbroadcastmsg", "json");
    assert_eq!((push.mtype, push.flag), (1, 0x40));
    let push = ask(&mut peer, "kickout", "oneway");
    assert_eq!((push.mtype, push.payload), (0, map(&[])));
    assert_eq!(
        peer.code("t_push", &[("n", 1.into()), ("mode", "x".into())]),
        10010
    );
    assert_eq!(peer.code("t_push", &[("n", (-1).into())]), 10010);
}

#[test]
fn a_peer_that_does_not_read_is_disconnected() {
    let gate = Gate::start().unwrap();
    let peer = Peer::login(&gate, Via::Tcp, 1001);
    gate.faults().wire(Whom::Open, WireFault::StallWrites);
    let payload = vec![0xc0; 1 << 20];
    for _ in 0..66 {
        gate.push_encoded(1001, "pushmsg", Encoding::Msgpack, &payload, false);
    }
    assert!(gate.wait_for(
        |seen| seen.connections[0].ended == Some(Ended::NotReading),
        LIMIT
    ));
    drop(peer);
}

#[test]
fn a_handshake_that_gets_nowhere_ends_with_the_idle_limit() {
    let gate = Gate::builder()
        .idle_timeout(Duration::from_millis(100))
        .start()
        .unwrap();
    let mut stream = crate::peer::socket(&gate.gate().tls);
    assert_eq!(std::io::Read::read(&mut stream, &mut [0]).unwrap(), 0);
    assert!(gate.wait_for(|seen| seen.connections[0].ended == Some(Ended::Idle), LIMIT));
}
