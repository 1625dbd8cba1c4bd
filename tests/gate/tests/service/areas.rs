//! Friends, texts, data, history, unread conversations and language tools.

use crate::peer::{Peer, Via, field, ints, map};
use rmpv::Value;
use rtm_gate::Gate;

fn send(peer: &mut Peer, method: &str, target: (&str, i64), mid: i64) -> i64 {
    let fields = [
        (target.0, target.1.into()),
        ("mid", mid.into()),
        ("mtype", (30 + mid % 3).into()),
        ("msg", format!("m{mid}").into()),
        ("attrs", "a".into()),
    ];
    let answer = peer.call(method, &map(&fields));
    assert_eq!(answer.code(), 0, "{answer:?}");
    field(&answer.payload, "mtime").as_i64().unwrap()
}

fn list(peer: &mut Peer, method: &str, key: &str) -> Value {
    field(&peer.call(method, &map(&[])).payload, key)
}

#[test]
fn friends_are_a_list_per_user_with_limits() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let friends = |ids: Value| [("friends", ids)];
    assert_eq!(peer.code("addfriends", &friends(ints([]))), 200033);
    assert_eq!(peer.code("addfriends", &friends(ints(0..101))), 200032);
    for start in [0, 100, 200] {
        assert_eq!(
            peer.code("addfriends", &friends(ints(start..start + 100))),
            0
        );
    }
    assert_eq!(peer.code("addfriends", &friends(ints([5, 300]))), 200048);
    assert_eq!(peer.code("addfriends", &friends(ints([5]))), 0);
    for start in [1, 100, 200] {
        assert_eq!(
            peer.code("delfriends", &friends(ints(start..start + 100))),
            0
        );
    }
    assert_eq!(list(&mut peer, "getfriends", "uids"), ints([0]));
    gate.make_friends(1001, 1002);
    let mut other = Peer::login(&gate, Via::Tcp, 1002);
    assert_eq!(list(&mut other, "getfriends", "uids"), ints([1001]));
}

#[test]
fn those_online_are_picked_out() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let _other = Peer::login(&gate, Via::Tcp, 1003);
    let answer = peer.call(
        "getonlineusers",
        &map(&[("uids", ints([1002, 1003, 1001, 5]))]),
    );
    assert_eq!(field(&answer.payload, "uids"), ints([1003, 1001]));
    assert_eq!(
        peer.code("getonlineusers", &[("uids", ints(0..201))]),
        200032
    );
    assert_eq!(peer.code("getonlineusers", &[("uids", ints(0..200))]), 0);
}

#[test]
fn texts_change_one_by_one_and_the_private_one_is_private() {
    let gate = Gate::start().unwrap();
    gate.add_to_group(9, 1001);
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let mut other = Peer::login(&gate, Via::Tcp, 1002);
    assert_eq!(peer.code("enterroom", &[("rid", 9.into())]), 0);
    for (what, place, refused) in [
        ("user", None, 0),
        ("group", Some(("gid", Value::from(9))), 200041),
        ("room", Some(("rid", Value::from(9))), 200040),
    ] {
        let call = |verb: &str, kind: &str| format!("{verb}{what}{kind}");
        let with = |more: &[(&'static str, Value)]| {
            place
                .iter()
                .cloned()
                .chain(more.iter().cloned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            peer.code(&call("set", "info"), &with(&[("oinfo", "o".into())])),
            0
        );
        assert_eq!(
            peer.code(&call("set", "info"), &with(&[("pinfo", "p".into())])),
            0
        );
        let both = peer.call(&call("get", "info"), &map(&with(&[]))).payload;
        assert_eq!(both, map(&[("oinfo", "o".into()), ("pinfo", "p".into())]));
        let large = with(&[("oinfo", "x".repeat(65_536).into())]);
        assert_eq!(peer.code(&call("set", "info"), &large), 200035);
        if refused != 0 {
            assert_eq!(other.code(&call("get", "info"), &with(&[])), refused);
            assert_eq!(other.code(&call("set", "info"), &with(&[])), refused);
            let open = other
                .call(&call("get", "openinfo"), &map(&with(&[])))
                .payload;
            assert_eq!(open, map(&[("oinfo", "o".into())]));
        }
    }
    let open = other.call("getuseropeninfo", &map(&[("uids", ints([1001, 1002, 5]))]));
    let expected = map(&[("1001", "o".into()), ("1002", "".into())]);
    assert_eq!(open.payload, map(&[("info", expected)]));
}

#[test]
fn data_is_kept_per_user_under_keys_of_bounded_size() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let mut other = Peer::login(&gate, Via::Tcp, 1002);
    let pair = |key: String, value: usize| [("key", key.into()), ("val", "v".repeat(value).into())];
    assert_eq!(peer.code("dataset", &pair("k".repeat(128), 65_535)), 0);
    assert_eq!(peer.code("dataset", &pair("k".repeat(129), 1)), 200035);
    assert_eq!(peer.code("dataset", &pair("k".into(), 65_536)), 200035);
    assert_eq!(peer.code("dataset", &pair(String::new(), 1)), 200033);
    let key = [("key", "k".repeat(128).into())];
    let got = peer.call("dataget", &map(&key));
    assert_eq!(field(&got.payload, "val").as_str().unwrap().len(), 65_535);
    assert_eq!(other.call("dataget", &map(&key)).payload, map(&[]));
    assert_eq!(peer.code("datadel", &key), 0);
    assert_eq!(peer.call("dataget", &map(&key)).payload, map(&[]));
}

#[test]
fn history_pages_through_a_group_in_both_directions() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let gid = gate.group();
    for mid in 1..=25 {
        send(&mut peer, "sendgroupmsg", ("gid", gid), mid);
    }
    for newest_first in [false, true] {
        let mut got = Vec::new();
        let mut cursor = vec![("begin", 0.into()), ("end", 0.into()), ("lastid", 0.into())];
        for expected in [10, 10, 5, 0] {
            let mut fields = vec![
                ("gid", gid.into()),
                ("desc", newest_first.into()),
                ("num", 10.into()),
            ];
            fields.append(&mut cursor);
            let page = peer.call("getgroupmsg", &map(&fields)).payload;
            assert_eq!(field(&page, "num"), expected.into());
            let tuples = field(&page, "msgs");
            for tuple in tuples.as_array().unwrap() {
                assert_eq!(tuple[1], 1001.into());
                assert_eq!(tuple[4], false.into());
                got.push(tuple[3].as_i64().unwrap());
            }
            cursor = ["begin", "end", "lastid"]
                .map(|key| (key, field(&page, key)))
                .to_vec();
        }
        let mut expected = (1..=25).collect::<Vec<_>>();
        if newest_first {
            expected.reverse();
        }
        assert_eq!(got, expected);
    }
    let ask = |num: i64, mtypes: Value| {
        [
            ("gid", gid.into()),
            ("desc", true.into()),
            ("num", num.into()),
            ("mtypes", mtypes),
        ]
    };
    assert_eq!(peer.code("getgroupmsg", &ask(21, ints([]))), 200032);
    let chats = peer.call("getgroupmsg", &map(&ask(20, ints([30])))).payload;
    assert_eq!(field(&chats, "num"), 8.into());
    let mut stranger = Peer::login(&gate, Via::Tcp, 5);
    assert_eq!(stranger.code("getgroupmsg", &ask(1, ints([]))), 200041);
}

#[test]
fn history_between_users_tells_the_direction() {
    let gate = Gate::start().unwrap();
    let mut one = Peer::login(&gate, Via::Tcp, 1001);
    let mut other = Peer::login(&gate, Via::Tcp, 1002);
    let first = send(&mut one, "sendmsg", ("to", 1002), 1);
    let second = send(&mut other, "sendmsg", ("to", 1001), 2);
    for (peer, ouid, directions) in [(&mut one, 1002, [1, 2]), (&mut other, 1001, [2, 1])] {
        let asked = [
            ("ouid", ouid.into()),
            ("desc", false.into()),
            ("num", 20.into()),
        ];
        let page = peer.call("getp2pmsg", &map(&asked)).payload;
        let tuple = |direction: i64, mid: i64, mtime: i64| {
            let text = format!("m{mid}");
            Value::Array(vec![
                mid.into(),
                direction.into(),
                (30 + mid).into(),
                mid.into(),
                false.into(),
                text.into(),
                "a".into(),
                mtime.into(),
            ])
        };
        let expected = [
            tuple(directions[0], 1, first),
            tuple(directions[1], 2, second),
        ];
        assert_eq!(field(&page, "msgs").as_array().unwrap()[..], expected);
    }
}

#[test]
fn rooms_and_broadcasts_have_a_history_too() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    gate.broadcast(1, 30, "to all");
    let asked = [("rid", 9.into()), ("desc", true.into()), ("num", 5.into())];
    assert_eq!(peer.code("getroommsg", &asked), 200040);
    assert_eq!(peer.code("enterroom", &asked), 0);
    send(&mut peer, "sendroommsg", ("rid", 9), 3);
    for (method, text) in [("getroommsg", "m3"), ("getbroadcastmsg", "to all")] {
        let page = peer.call(method, &map(&asked)).payload;
        assert_eq!(field(&page, "msgs")[0][5], text.into(), "{method}");
    }
}

#[test]
fn single_messages_are_got_and_deleted_by_id() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let gid = gate.group();
    let mtime = send(&mut peer, "sendgroupmsg", ("gid", gid), 3);
    let name = |kind: i64| {
        [
            ("mid", 3.into()),
            ("xid", gid.into()),
            ("type", kind.into()),
        ]
    };
    let got = peer.call("getmsg", &map(&name(2))).payload;
    let expected = map(&[
        ("id", 1.into()),
        ("mtype", 30.into()),
        ("msg", "m3".into()),
        ("attrs", "a".into()),
        ("mtime", mtime.into()),
    ]);
    assert_eq!(got, expected);
    assert_eq!(peer.code("getmsg", &name(1)), 200070);
    assert_eq!(peer.code("getmsg", &name(3)), 200040);
    assert_eq!(peer.code("getmsg", &name(9)), 200034);
    let from_another = [&name(2)[..], &[("from", 1002.into())]].concat();
    assert_eq!(peer.code("getmsg", &from_another), 200070);
    assert_eq!(peer.code("delmsg", &name(2)), 0);
    assert_eq!(peer.code("getmsg", &name(2)), 200070);
    assert_eq!(peer.code("delmsg", &name(2)), 200070);
    let asked = [
        ("gid", gid.into()),
        ("desc", true.into()),
        ("num", 5.into()),
    ];
    let page = peer.call("getgroupmsg", &map(&asked)).payload;
    let tuple = &field(&page, "msgs")[0];
    assert_eq!((&tuple[4], &tuple[5]), (&true.into(), &"".into()));
}

#[test]
fn what_comes_while_a_user_is_away_is_unread() {
    let gate = Gate::start().unwrap();
    let mut sender = Peer::login(&gate, Via::Tcp, 1001);
    send(&mut sender, "sendmsg", ("to", 1002), 1);
    send(&mut sender, "sendgroupmsg", ("gid", gate.group()), 2);
    let mut peer = Peer::login(&gate, Via::Tcp, 1002);
    send(&mut sender, "sendmsg", ("to", 1002), 3);
    let both = map(&[("p2p", ints([1001])), ("group", ints([gate.group()]))]);
    let none = map(&[("p2p", ints([])), ("group", ints([]))]);
    assert_eq!(peer.call("getunread", &map(&[])).payload, both);
    assert_eq!(
        peer.call("getunread", &map(&[("clear", true.into())]))
            .payload,
        both
    );
    assert_eq!(peer.call("getunread", &map(&[])).payload, none);
    assert_eq!(peer.call("getsession", &map(&[])).payload, both);
    assert_eq!(peer.code("cleanunread", &[]), 0);
    assert_eq!(sender.call("getunread", &map(&[])).payload, none);
    let sessions = sender.call("getsession", &map(&[])).payload;
    assert_eq!(field(&sessions, "p2p"), ints([1002]));
}

#[test]
fn the_language_tools_stand_in_for_real_ones() {
    let gate = Gate::start().unwrap();
    let mut peer = Peer::login(&gate, Via::Tcp, 1001);
    let translate = |text: &str, dst: &str, filter: &str| {
        [
            ("text", text.into()),
            ("dst", dst.into()),
            ("profanity", filter.into()),
        ]
    };
    let got = peer
        .call("translate", &map(&translate("damn it", "ja", "censor")))
        .payload;
    let expected = map(&[
        ("source", "en".into()),
        ("target", "ja".into()),
        ("sourceText", "damn it".into()),
        ("targetText", "[ja] **** it".into()),
    ]);
    assert_eq!(got, expected);
    assert_eq!(
        peer.code("translate", &translate("damn", "ja", "stop")),
        200057
    );
    assert_eq!(peer.code("translate", &translate("", "ja", "off")), 200051);
    assert_eq!(peer.code("translate", &translate("x", "xx", "off")), 200050);
    assert_eq!(
        peer.code("translate", &translate("x", "ja", "maybe")),
        200034
    );
    assert_eq!(peer.code("setlang", &[("lang", "xx".into())]), 200050);
    assert_eq!(peer.code("setlang", &[("lang", "".into())]), 0);
    let asked = map(&[("text", "heck".into()), ("classify", true.into())]);
    let got = peer.call("profanity", &asked).payload;
    assert_eq!(field(&got, "text"), "****".into());
    assert_eq!(field(&got, "classification")[0], "abuse".into());
}
