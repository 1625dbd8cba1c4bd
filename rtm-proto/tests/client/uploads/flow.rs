//! A file that arrives, step by step.

use super::*;

#[test]
fn a_file_needs_a_token_a_connection_of_its_own_and_its_end() {
    let mut world = world(vec![vec![taken()]]);
    world.latency = ms(1);
    let call = world.call(&file());
    world.run_for(secs(1));
    assert_eq!(world.log.methods("gate"), ["auth", "filetoken"]);
    assert_eq!(world.log.methods("files"), ["sendfile"]);
    let token = asked(&world, "filetoken")[0];
    assert_eq!(
        token.body,
        map(&[("cmd", "sendfile".into()), ("to", 5.into())])
    );
    let sent = asked(&world, "sendfile")[0];
    let receipt = receipt(&world, call);
    for (key, value) in [
        ("pid", 1_000_012.into()),
        ("from", 654_321.into()),
        ("to", 5.into()),
        ("mid", receipt.message_id.get().into()),
        ("mtype", 40.into()),
        ("token", "token 1".into()),
        ("file", rmpv::Value::Binary(vec![b'x'; SIZE])),
    ] {
        assert_eq!(sent.field(key), Some(&value), "{key}");
    }
    assert_eq!(receipt.time_ms, Some(1_591_322_544_001));
    assert!(!receipt.deduplicated);
    assert_eq!(world.log.opened, ["gate", "files"]);
    assert_eq!(world.log.closed, ["files"]);
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn groups_and_rooms_have_methods_and_fields_of_their_own() {
    let mut world = world(vec![vec![taken()]]);
    let to_group = SendFile::new(GroupId(7), MessageType::FILE, &b"g"[..]);
    let to_room = SendFile::new(RoomId(8), MessageType::FILE, &b"r"[..]);
    for (request, method, key, id) in [
        (to_group, "sendgroupfile", "gid", 7),
        (to_room, "sendroomfile", "rid", 8),
    ] {
        let call = world.call(&request);
        world.run_for(ms(0));
        assert_eq!(world.log.end_of(call), Ok(()));
        let token = world.log.quests[world.log.quests.len() - 2].clone();
        assert_eq!(token.body, map(&[("cmd", method.into()), (key, id.into())]));
        let sent = asked(&world, method)[0];
        assert_eq!(sent.field(key), Some(&id.into()));
        assert_eq!(sent.field("to"), None);
    }
}

#[test]
fn files_under_way_at_once_have_a_connection_and_a_token_each() {
    let mut world = world(vec![vec![Act::after(ms(5), taken())]]);
    let calls: Vec<CallId> = (0..4).map(|_| world.call(&file_of(10))).collect();
    world.run_for(ms(0));
    assert_eq!(file_conns(&world).len(), 4);
    let mut tokens: Vec<&str> = asked(&world, "sendfile")
        .iter()
        .map(|sent| sent.field("token").unwrap().as_str().unwrap())
        .collect();
    tokens.sort_unstable();
    assert_eq!(tokens, ["token 1", "token 2", "token 3", "token 4"]);
    world.run_for(ms(5));
    for call in calls {
        assert_eq!(world.log.end_of(call), Ok(()));
    }
    assert_only_the_session_is_left(&mut world);
}

#[test]
fn an_empty_file_is_a_file() {
    let mut world = world(vec![vec![taken()]]);
    let call = world.call(&file_of(0));
    world.run_for(ms(0));
    assert_eq!(world.log.end_of(call), Ok(()));
    assert_eq!(progress(&world), []);
}

#[test]
fn a_bare_endpoint_takes_the_scheme_of_the_gate() {
    let tls = config().ssl(true).gate(endpoint("ws://gate:1"));
    let mut world = world_of(tls, files(vec![vec![taken()]]));
    let call = world.call(&file());
    world.run_for(ms(0));
    // By `wss`, the default for others, there would be no upgrade to read.
    assert_eq!(world.log.end_of(call), Ok(()));

    let tcp = config().gate(endpoint("tcp://gate:1"));
    let mut world = World::tcp(tcp).node("gate", gate());
    world.set_node("files", files(vec![vec![taken()]]));
    let mut world = world.online();
    let call = world.call(&file());
    world.run_for(ms(0));
    assert_eq!(world.log.end_of(call), Ok(()));
}

#[test]
fn a_full_endpoint_keeps_its_own_scheme() {
    let gates = [
        ("files:1", "GET "),
        ("ws://files:1", "GET "),
        ("tcp://files:1", "FPNN"),
    ];
    for (at, first) in gates {
        let mut world = world(vec![vec![]]);
        world.set_node("gate", Node::new(move |_| vec![permit(1, at)]));
        world.latency = ms(1);
        world.call(&file_of(10));
        world.run_to(ms(2));
        let conn = world.conn();
        world.stall(conn, true);
        world.run_to(ms(3));
        let bytes = world.client.poll_transmit(conn).unwrap();
        assert_eq!(&bytes[..4], first.as_bytes(), "{at}");
    }
}
