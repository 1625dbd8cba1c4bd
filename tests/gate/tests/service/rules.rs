//! Login, messages, groups and rooms.

use crate::peer::{Peer, Via, field, ints, map};
use rmpv::Value;
use rtm_gate::{Gate, Mode};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

fn message(target: (&str, i64), mid: i64) -> Vec<(&str, Value)> {
    vec![
        (target.0, target.1.into()),
        ("mid", mid.into()),
        ("mtype", 30.into()),
        ("msg", "hello".into()),
        ("attrs", "a".into()),
    ]
}

fn with<'a>(fields: &[(&'a str, Value)], key: &'a str, value: Value) -> Vec<(&'a str, Value)> {
    let others = fields.iter().filter(|(name, _)| *name != key).cloned();
    others.chain([(key, value)]).collect()
}

fn without<'a>(fields: &[(&'a str, Value)], key: &str) -> Vec<(&'a str, Value)> {
    let others = fields.iter().filter(|(name, _)| *name != key);
    others.cloned().collect()
}

#[test]
fn before_login_methods_are_unauthorized_and_unknown_ones_unknown() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    assert_eq!(peer.code("sendmsg", &[]), 200022);
    assert_eq!(peer.code("bye", &[]), 200022);
    assert_eq!(peer.code("nosuch", &[]), 20004);
    let answer = peer.call("*ping", &map(&[]));
    assert!(field(&answer.payload, "ts").as_i64().unwrap() > 1_600_000_000_000);
}

#[test]
fn auth_judges_project_token_and_ban() {
    let gate = Gate::builder().user(7, "seven").start().unwrap();
    let fields = [
        ("pid", gate.project_id().into()),
        ("uid", 7.into()),
        ("token", "seven".into()),
    ];
    let mut peer = Peer::connect(&gate, Via::Tcp);
    assert_eq!(peer.code("auth", &with(&fields, "pid", 5.into())), 200001);
    assert_eq!(peer.code("auth", &without(&fields, "uid")), 10009);
    assert_eq!(peer.code("auth", &with(&fields, "uid", "7".into())), 10010);
    let refused = map(&[("ok", false.into())]);
    let wrong_token = map(&with(&fields, "token", "eight".into()));
    assert_eq!(peer.call("auth", &wrong_token).payload, refused);
    let nobody = map(&with(&fields, "uid", 8.into()));
    assert_eq!(peer.call("auth", &nobody).payload, refused);
    gate.ban(7, true);
    assert_eq!(peer.code("auth", &fields), 200024);
    gate.ban(7, false);
    gate.expire_tokens();
    assert_eq!(peer.call("auth", &map(&fields)).payload, refused);
    let fresh = gate.token(7);
    assert_ne!(fresh, "seven");
    let accepted = peer.call("auth", &map(&with(&fields, "token", fresh.into())));
    assert_eq!(accepted.payload, map(&[("ok", true.into())]));
    assert_eq!(peer.code("auth", &fields), 200023);
}

#[test]
fn a_project_id_written_as_a_float_is_accepted() {
    let gate = Gate::builder().project_id(u32::MAX).start().unwrap();
    let mut peer = Peer::connect(&gate, Via::Tcp);
    let fields = [
        ("pid", Value::F64(4_294_967_295.0)),
        ("uid", 1001.into()),
        ("token", gate.token(1001).into()),
        ("version", Value::Nil),
        ("later", Value::Array(vec![Value::Nil])),
    ];
    assert_eq!(
        peer.call("auth", &map(&fields)).payload,
        map(&[("ok", true.into())])
    );
}

#[test]
fn bye_ends_the_session_and_leaves_the_closing_to_the_client() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    assert_eq!(peer.code("bye", &[]), 0);
    assert_eq!(gate.sessions(1001), 0);
    assert_eq!(peer.code("getattrs", &[]), 200022);
}

#[test]
fn a_message_reaches_every_session_but_the_sending_one() {
    let gate = Gate::start().unwrap();
    let mut sender = Peer::login(&gate, Via::Tcp, 1001);
    let mut second = Peer::login(&gate, Via::Tcp, 1001);
    let mut receivers = [(); 2].map(|()| Peer::login(&gate, Via::Tcp, 1002));
    let mut stranger = Peer::login(&gate, Via::Tcp, 1003);
    let answer = sender.call("sendmsg", &map(&message(("to", 1002), 5)));
    let mtime = field(&answer.payload, "mtime");
    let expected = map(&[
        ("from", 1001.into()),
        ("to", 1002.into()),
        ("mtype", 30.into()),
        ("mid", 5.into()),
        ("msg", "hello".into()),
        ("attrs", "a".into()),
        ("mtime", mtime),
    ]);
    for peer in receivers.iter_mut().chain([&mut second]) {
        let push = peer.push();
        assert_eq!((push.method.as_str(), push.mtype), ("pushmsg", 1));
        assert_eq!(push.payload, expected);
    }
    // A push would have come before the answer to a later quest.
    for peer in [&mut sender, &mut stranger] {
        gate.push(1001, "pushmark", rtm_gate::Value::EMPTY, Mode::TwoWay);
        gate.push(1003, "pushmark", rtm_gate::Value::EMPTY, Mode::TwoWay);
        assert_eq!(peer.push().method, "pushmark");
    }
}

#[test]
fn sends_are_judged_by_type_size_recipient_and_id() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let good = message(("to", 1002), 1);
    let cases = [
        (without(&good, "mid"), 10009),
        (without(&good, "attrs"), 10009),
        (with(&good, "msg", 5.into()), 10010),
        (with(&good, "to", "x".into()), 10010),
        (with(&good, "mid", u64::MAX.into()), 10010),
        (with(&good, "mtype", 0.into()), 200005),
        (with(&good, "mtype", 128.into()), 200005),
        (with(&good, "msg", "x".repeat(20_481).into()), 200030),
        (with(&good, "attrs", "x".repeat(2_049).into()), 200030),
        (with(&good, "to", 1001.into()), 200052),
        (with(&good, "msg", "x".repeat(20_480).into()), 0),
        (good.clone(), 200053),
        (with(&good, "mid", 2.into()), 0),
        (with(&good, "mid", 0.into()), 0),
        (with(&good, "mid", 0.into()), 0),
    ];
    for (number, (fields, code)) in cases.iter().enumerate() {
        assert_eq!(peer.code("sendmsg", fields), *code, "case {number}");
    }
}

#[test]
fn binary_bodies_stay_binary() {
    let gate = Gate::start().unwrap();
    let mut sender = Peer::login(&gate, Via::Ws, 1001);
    let mut receiver = Peer::login(&gate, Via::Tcp, 1002);
    let body = Value::Binary(vec![0, 0xff, 0x80]);
    let fields = with(&message(("to", 1002), 1), "msg", body.clone());
    assert_eq!(sender.code("sendmsg", &fields), 0);
    assert_eq!(field(&receiver.push().payload, "msg"), body);
}

#[test]
fn groups_are_made_by_their_first_members_and_closed_to_others() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let mut other = Peer::login(&gate, Via::Tcp, 1004);
    let gid = ("gid", Value::from(77));
    let add = |uids: Value| vec![gid.clone(), ("uids", uids)];
    assert_eq!(peer.code("addgroupmembers", &add(ints([]))), 200033);
    assert_eq!(peer.code("addgroupmembers", &add(ints(0..101))), 200032);
    assert_eq!(peer.code("addgroupmembers", &add(ints([1002, 1003]))), 0);
    let members = peer.call("getgroupmembers", &map(std::slice::from_ref(&gid)));
    assert_eq!(field(&members.payload, "uids"), ints([1001, 1002, 1003]));
    assert_eq!(
        other.code("getgroupmembers", std::slice::from_ref(&gid)),
        200041
    );
    assert_eq!(other.code("addgroupmembers", &add(ints([1004]))), 200041);
    assert_eq!(other.code("sendgroupmsg", &message(("gid", 77), 1)), 200041);
    assert_eq!(peer.code("delgroupmembers", &add(ints([1002]))), 0);
    let groups = peer.call("getusergroups", &map(&[]));
    assert_eq!(field(&groups.payload, "gids"), ints([77, gate.group()]));
}

#[test]
fn group_messages_reach_members_and_the_muted_are_refused() {
    let gate = Gate::start().unwrap();
    gate.add_to_group(9, 1001);
    gate.add_to_group(9, 1002);
    let mut sender = Peer::login(&gate, Via::Tcp, 1001);
    let mut member = Peer::login(&gate, Via::Tcp, 1002);
    assert_eq!(sender.code("sendgroupmsg", &message(("gid", 9), 1)), 0);
    let push = member.push();
    assert_eq!(push.method, "pushgroupmsg");
    assert_eq!(field(&push.payload, "gid"), 9.into());
    assert_eq!(field(&push.payload, "to"), Value::Nil);
    gate.ban_in_group(9, 1001, true);
    assert_eq!(sender.code("sendgroupmsg", &message(("gid", 9), 2)), 200044);
    gate.ban_in_group(9, 1001, false);
    assert_eq!(sender.code("sendgroupmsg", &message(("gid", 9), 2)), 0);
    gate.remove_from_group(9, 1001);
    assert_eq!(sender.code("sendgroupmsg", &message(("gid", 9), 3)), 200041);
}

#[test]
fn rooms_belong_to_the_session_and_end_with_it() {
    let gate = Gate::start().unwrap();
    let mut first = Peer::login(&gate, Via::Tcp, 1001);
    let mut second = Peer::login(&gate, Via::Tcp, 1002);
    let rid = [("rid", Value::from(5))];
    assert_eq!(first.code("sendroommsg", &message(("rid", 5), 1)), 200040);
    for peer in [&mut first, &mut second] {
        assert_eq!(peer.code("enterroom", &rid), 0);
        assert_eq!(peer.code("enterroom", &rid), 0);
    }
    assert_eq!(first.code("sendroommsg", &message(("rid", 5), 1)), 0);
    let push = second.push();
    assert_eq!(push.method, "pushroommsg");
    assert_eq!(field(&push.payload, "rid"), 5.into());
    gate.ban_in_room(5, 1001, true);
    assert_eq!(first.code("sendroommsg", &message(("rid", 5), 2)), 200045);
    let rooms = first.call("getuserrooms", &map(&[]));
    assert_eq!(field(&rooms.payload, "rooms"), ints([5]));
    assert_eq!(first.code("leaveroom", &rid), 0);
    assert_eq!(first.code("sendroommsg", &message(("rid", 5), 2)), 200040);
    drop(second);
    assert!(gate.wait_for(|seen| seen.open() == 1, LONG));
    let mut again = Peer::login(&gate, Via::Tcp, 1002);
    let rooms = again.call("getuserrooms", &map(&[]));
    assert_eq!(field(&rooms.payload, "rooms"), ints([]));
}

#[test]
fn a_user_is_in_ten_rooms_at_most() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    for rid in 1..=10 {
        assert_eq!(peer.code("enterroom", &[("rid", rid.into())]), 0);
    }
    assert_eq!(peer.code("enterroom", &[("rid", 11.into())]), 200047);
    assert_eq!(peer.code("enterroom", &[("rid", 10.into())]), 0);
}

#[test]
fn in_single_room_mode_entering_leaves_the_other_room() {
    let gate = Gate::builder().single_room(true).start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    assert_eq!(peer.code("enterroom", &[("rid", 1.into())]), 0);
    assert_eq!(peer.code("enterroom", &[("rid", 2.into())]), 0);
    let rooms = peer.call("getuserrooms", &map(&[]));
    assert_eq!(field(&rooms.payload, "rooms"), ints([2]));
}

#[test]
fn whoever_is_put_out_of_a_room_is_told_one_way() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    assert_eq!(peer.code("enterroom", &[("rid", 5.into())]), 0);
    gate.kick_from_room(1001, 5);
    let push = peer.push();
    assert_eq!((push.method.as_str(), push.mtype), ("kickoutroom", 0));
    assert_eq!(push.payload, map(&[("rid", 5.into())]));
    assert_eq!(peer.code("sendroommsg", &message(("rid", 5), 1)), 200040);
}

#[test]
fn kickout_ends_another_session_of_the_same_user() {
    let gate = Gate::start().unwrap();
    let mut first = Peer::login(&gate, Via::Tcp, 1001);
    let mut second = Peer::login(&gate, Via::Wss, 1001);
    let attrs = map(&[("attrs", map(&[("k", "v".into())]))]);
    assert_eq!(second.call("addattrs", &attrs).code(), 0);
    let sessions = first.call("getattrs", &map(&[]));
    let sessions = field(&sessions.payload, "attrs");
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let is_own = |map: &&Value| field(map, "my") != Value::Nil;
    let own = sessions.iter().find(is_own).unwrap();
    let other = sessions.iter().find(|map| !is_own(map)).unwrap();
    assert_eq!(field(other, "k"), "v".into());
    assert!(field(other, "login").as_str().unwrap().starts_with("20"));
    assert_eq!(first.code("kickout", &[("ce", field(own, "ce"))]), 200012);
    assert_eq!(first.code("kickout", &[("ce", "1.2.3.4:5".into())]), 200034);
    assert_eq!(first.code("kickout", &[("ce", field(other, "ce"))]), 0);
    let push = second.push();
    assert_eq!((push.method.as_str(), push.mtype), ("kickout", 0));
    second.assert_closed();
    assert_eq!(gate.sessions(1001), 1);
}

#[test]
fn the_service_can_kick_a_user() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    assert_eq!(gate.kick(1001), 1);
    assert_eq!(peer.push().method, "kickout");
    peer.assert_closed();
}

#[test]
fn a_broadcast_reaches_everybody() {
    let gate = Gate::start().unwrap();
    let mut peers = [1001, 1002, 1003].map(|uid| Peer::login(&gate, Via::Tcp, uid));
    gate.broadcast(1, 30, "all");
    for peer in &mut peers {
        let push = peer.push();
        assert_eq!(push.method, "pushbroadcastmsg");
        assert_eq!(field(&push.payload, "msg"), "all".into());
    }
}

#[test]
fn small_methods_check_their_parameters() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let text = |key| (key, Value::from("x"));
    let cases = [
        ("adddebuglog", vec![text("msg"), text("attrs")]),
        ("adddevice", vec![text("apptype"), text("devicetoken")]),
        ("removedevice", vec![text("devicetoken")]),
        ("setlang", vec![("lang", "en".into())]),
    ];
    for (method, fields) in cases {
        assert_eq!(peer.code(method, &fields), 0, "{method}");
        assert_eq!(peer.code(method, &[]), 10009, "{method}");
        let wrong = with(&fields, fields[0].0, 1.into());
        assert_eq!(peer.code(method, &wrong), 10010, "{method}");
    }
    assert_eq!(
        peer.code("addattrs", &[("attrs", map(&[("k", 1.into())]))]),
        10010
    );
}

#[test]
fn one_way_quests_are_executed_and_never_answered() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let enter = crate::peer::msgpack(&map(&[("rid", 5.into())]));
    peer.send_package(&crate::peer::quest(0x80, None, "enterroom", &enter));
    peer.send_package(&crate::peer::quest(0x80, None, "nosuch", &enter));
    let rooms = peer.call("getuserrooms", &map(&[]));
    assert_eq!(field(&rooms.payload, "rooms"), ints([5]));
}

#[test]
fn calls_above_the_rate_limit_are_refused() {
    let gate = Gate::builder().rate_limit(3).start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let codes = [(); 20].map(|()| peer.code("getuserrooms", &[]));
    assert_eq!(codes[..3], [0, 0, 0]);
    assert!(codes.contains(&200010));
}
