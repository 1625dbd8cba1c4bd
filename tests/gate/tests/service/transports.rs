//! The same service by every transport.

use crate::peer::{Peer, Via, field, map};
use rtm_gate::{Gate, Transport};
use std::time::Duration;

const ALL: [Via; 4] = [Via::Tcp, Via::Ws, Via::Tls, Via::Wss];

#[test]
fn login_and_messages_work_by_every_transport_and_between_them() {
    let gate = Gate::start().unwrap();
    for sender in ALL {
        for receiver in ALL {
            let mut from = Peer::login(&gate, sender, 1001);
            let mut to = Peer::login(&gate, receiver, 1002);
            let text = "x".repeat(3000);
            let fields = [
                ("to", 1002.into()),
                ("mid", 0.into()),
                ("mtype", 30.into()),
                ("msg", text.as_str().into()),
                ("attrs", "".into()),
            ];
            assert_eq!(from.code("sendmsg", &fields), 0, "{sender:?}");
            let push = to.push();
            assert_eq!(push.method, "pushmsg", "{receiver:?}");
            assert_eq!(field(&push.payload, "msg").as_str(), Some(text.as_str()));
        }
    }
}

#[test]
fn which_names_the_port_of_the_transport_that_asked() {
    let gate = Gate::start().unwrap();
    for via in ALL {
        let mut peer = Peer::connect(&gate, via);
        let asked = map(&[
            ("pid", gate.project_id().into()),
            ("uid", 1001.into()),
            ("what", "rtmGated".into()),
            ("addrType", "ipv4".into()),
            ("version", "".into()),
        ]);
        let answer = peer.call("which", &asked);
        let endpoints = gate.gate();
        let expected = match via {
            Via::Tcp | Via::Ws => endpoints.tcp.replace("tcp://", ""),
            Via::Tls | Via::Wss => endpoints.tls.replace("tls://", ""),
        };
        assert_eq!(
            field(&answer.payload, "endpoint").as_str(),
            Some(expected.as_str())
        );
    }
}

#[test]
fn the_record_names_the_transport_of_every_connection() {
    let gate = Gate::start().unwrap();
    let peers = ALL.map(|via| Peer::login(&gate, via, 1001));
    let seen = gate.seen();
    let transports = seen.connections.iter().map(|c| c.transport);
    assert_eq!(
        transports.collect::<Vec<_>>(),
        [
            Transport::Tcp,
            Transport::Ws,
            Transport::Tls,
            Transport::Wss
        ]
    );
    assert!(seen.connections.iter().all(|c| c.user == Some(1001)));
    drop(peers);
    assert!(gate.wait_for(|seen| seen.open() == 0, Duration::from_secs(20)));
}
