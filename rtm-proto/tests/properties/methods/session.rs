//! Logging in and out, attributes, sessions, devices, the debug log.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use rmpv::Value;
use rtm_proto::api::*;
use rtm_proto::frame::Quest;
use rtm_proto::{Client, Config, ConnId, Input, Output, State, UserId};

use super::methods;
use super::values::{given, id, lenient, text, text_map, texts};
use crate::peer::{START, UNIX, answer, config, dialed, online, outputs, quests, receive};

/// A client that has connected, and the first quest of its login.
fn logging_in(config: Config) -> (Client, ConnId, Quest) {
    let mut client = Client::new(config, 1, START, UNIX);
    client.login(START);
    let conn = dialed(&outputs(&mut client));
    client.handle_input(START, Input::Connected { conn });
    let mut sent = quests(&mut client, conn);
    assert_eq!(sent.len(), 1);
    (client, conn, sent.remove(0))
}

/// What the client does when its only quest is answered with `body`.
fn after(config: Config, body: &[u8]) -> (Client, Vec<Output>) {
    let (mut client, conn, quest) = logging_in(config);
    outputs(&mut client);
    receive(&mut client, START, conn, answer(quest.seq.unwrap(), body));
    let outputs = outputs(&mut client);
    (client, outputs)
}

fn dials(outputs: &[Output]) -> Option<(String, u16)> {
    outputs.iter().find_map(|output| match output {
        Output::Connect { host, port, .. } => Some((host.clone(), *port)),
        _ => None,
    })
}

fn endpoint() -> impl Strategy<Value = (String, u16)> {
    ("[a-z][a-z0-9.-]{0,30}", 1..=u16::MAX)
}

fn config_of(project: u32, user: i64, token: &str, version: &str) -> Config {
    Config::new(project, UserId(user), token).version(version)
}

methods! {
    "which" => a_gate_is_looked_up |method| (
        project in any::<u32>(), user in id(), version in text(), ipv6 in any::<bool>(),
        (host, port) in endpoint(),
    ) {
        let dispatch = "tcp://dispatch:1".parse().unwrap();
        let config = config_of(project, user, "t", &version).dispatch(dispatch).ipv6(ipv6);
        let (_, _, quest) = logging_in(config.clone());
        method.sends(&quest, &[
            ("pid", project.into()),
            ("uid", user.into()),
            ("what", "rtmGated".into()),
            ("addrType", if ipv6 { "ipv6" } else { "ipv4" }.into()),
            ("version", version.into()),
        ]);
        for body in method.answers(&[("endpoint", format!("{host}:{port}").into())]) {
            let (_, outputs) = after(config.clone(), &body);
            assert_eq!(dials(&outputs), Some((host.clone(), port)));
        }
        for body in method.answers(&[]) {
            let (client, _) = after(config.clone(), &body);
            assert!(matches!(client.state(), State::Closed { .. }));
        }
    }

    "auth" => a_user_is_authenticated |method| (
        project in any::<u32>(), user in id(), token in text(), version in text(),
        attributes in of(texts()), (host, port) in endpoint(),
    ) {
        let gate = "tcp://gate:1".parse().unwrap();
        let mut config = config_of(project, user, &token, &version).gate(gate);
        if let Some(attributes) = &attributes {
            config = config.attributes(attributes.clone());
        }
        let (_, _, quest) = logging_in(config.clone());
        method.sends(&quest, &given([
            ("pid", Some(project.into())),
            ("uid", Some(user.into())),
            ("token", Some(token.into())),
            ("version", Some(version).filter(|text| !text.is_empty()).map(Value::from)),
            ("attrs", attributes.as_ref().map(text_map)),
        ]));
        for body in method.answers(&[("ok", true.into())]) {
            assert!(after(config.clone(), &body).0.state().is_online());
        }
        let elsewhere = format!("{host}:{port}");
        for body in method.answers(&[("ok", false.into()), ("gate", elsewhere.into())]) {
            let (client, outputs) = after(config.clone(), &body);
            assert!(!client.state().is_online());
            assert_eq!(dials(&outputs), Some((host.clone(), port)));
        }
        for fields in [&[("ok", false.into())][..], &[]] {
            for body in method.answers(fields) {
                let (client, _) = after(config.clone(), &body);
                assert!(matches!(client.state(), State::Closed { .. }));
            }
        }
    }

    "bye" => a_user_says_goodbye |method| (extra in text()) {
        for body in method.answers(&[("anything", extra.as_str().into())]) {
            let (mut client, gate) = online(config());
            client.logout(START);
            let mut sent = quests(&mut client, gate);
            assert_eq!(sent.len(), 1);
            let quest = sent.remove(0);
            method.sends(&quest, &[]);
            assert_eq!(client.state(), &State::Closing);
            receive(&mut client, START, gate, answer(quest.seq.unwrap(), &body));
            assert!(matches!(client.state(), State::Closed { .. }));
        }
    }

    "kickout" => a_session_is_kicked |method| (session in text()) {
        let request = KickSession::new(session.as_str());
        method.writes(&request, &[("ce", session.into())]);
        method.gives_nothing(&request);
    }

    "addattrs" => attributes_are_set |method| (attributes in texts()) {
        let request = SetAttributes::new(attributes.clone());
        method.writes(&request, &[("attrs", text_map(&attributes))]);
        method.gives_nothing(&request);
    }

    "getattrs" => attributes_of_sessions_are_read |method| (
        sessions in vec(proptest::collection::btree_map(text(), lenient(), 0..5), 0..5),
    ) {
        let request = GetAttributes::new();
        method.writes(&request, &[]);
        let wire = |session: &BTreeMap<String, (Value, String)>| {
            let entries = session.iter().map(|(k, (wire, _))| (k.as_str().into(), wire.clone()));
            Value::Map(entries.collect())
        };
        let read: Vec<BTreeMap<String, String>> = sessions
            .iter()
            .map(|session| session.iter().map(|(k, (_, text))| (k.clone(), text.clone())).collect())
            .collect();
        let view = |got: Vec<SessionAttributes>| -> Vec<_> { got.into_iter().map(|s| s.0).collect() };
        let answer = [("attrs", Value::Array(sessions.iter().map(wire).collect()))];
        method.reads(&request, &["attrs"], &answer, view, &read);
        if let (Some(one), Some(read)) = (sessions.first(), read.into_iter().next()) {
            // Newer services answer with the one map.
            let answer = [("attrs", wire(one))];
            method.reads(&request, &["attrs"], &answer, view, &vec![read]);
        }
    }

    "adddebuglog" => a_debug_log_is_added |method| (message in text(), attrs in text()) {
        let request = AddDebugLog::new(message.as_str(), attrs.as_str());
        method.writes(&request, &[("msg", message.into()), ("attrs", attrs.into())]);
        method.gives_nothing(&request);
    }

    "adddevice" => a_device_is_added |method| (app in text(), token in text()) {
        let request = AddDevice::new(app.as_str(), token.as_str());
        method.writes(&request, &[("apptype", app.into()), ("devicetoken", token.into())]);
        method.gives_nothing(&request);
    }

    "removedevice" => a_device_is_removed |method| (token in text()) {
        let request = RemoveDevice::new(token.as_str());
        method.writes(&request, &[("devicetoken", token.into())]);
        method.gives_nothing(&request);
    }
}
