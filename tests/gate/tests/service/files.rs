//! The file gate: who may send what, and the URL that follows.

use crate::peer::{Peer, Via, field, map};
use md5::{Digest, Md5};
use rmpv::Value;
use rtm_gate::{Ended, Gate, Whom, WireFault};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

type Fields = Vec<(&'static str, Value)>;

/// `md5(md5(file) ":" token)` in hex, as `digit` writes it.
fn sign(file: &[u8], token: &str, digit: impl Fn(&u8) -> String) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(&digit).collect::<String>();
    hex(&Md5::digest(format!("{}:{token}", hex(&Md5::digest(file)))))
}

fn sign_upper(file: &[u8], token: &str) -> String {
    sign(file, token, |byte| format!("{byte:02X}"))
}

fn sign_lower(file: &[u8], token: &str) -> String {
    sign(file, token, |byte| format!("{byte:02x}"))
}

/// The fields of a file quest with attributes as the clients of 2020 write them.
fn file(gate: &Gate, token: &str, target: (&'static str, i64), file: &[u8]) -> Fields {
    let sign = sign_upper(file, token);
    let attrs = format!(r#"{{"sign":"{sign}","ext":"png"}}"#);
    vec![
        ("pid", gate.project_id().into()),
        ("from", 1001.into()),
        (target.0, target.1.into()),
        ("token", token.into()),
        ("mtype", 40.into()),
        ("mid", 5.into()),
        ("file", Value::Binary(file.to_vec())),
        ("attrs", attrs.into()),
    ]
}

/// The same fields but for one; nil leaves it out.
fn with(fields: &Fields, key: &str, value: impl Into<Value>) -> Fields {
    let value = value.into();
    let change = |(name, old): &(&'static str, Value)| match *name == key {
        true => (*name, value.clone()),
        false => (*name, old.clone()),
    };
    let changed = fields.iter().map(change);
    changed.filter(|(_, value)| !value.is_nil()).collect()
}

fn token(peer: &mut Peer, cmd: &str, target: (&str, i64)) -> (String, String) {
    let fields = map(&[("cmd", cmd.into()), (target.0, target.1.into())]);
    let answer = peer.call("filetoken", &fields).payload;
    let text = |key| field(&answer, key).as_str().unwrap().to_owned();
    (text("token"), text("endpoint"))
}

/// A gate, a sender that is logged in, and a connection for files.
fn scene() -> (Gate, Peer, Peer) {
    let gate = Gate::start().unwrap();
    let sender = Peer::login(&gate, Via::Tcp, 1001);
    let upload = Peer::connect(&gate, Via::Tcp);
    (gate, sender, upload)
}

/// Sends a file and gives its URL, from the message to user 1002.
fn announced(gate: &Gate, mid: i64, content: &[u8], ext: &str) -> String {
    let mut sender = Peer::login(gate, Via::Tcp, 1001);
    let mut receiver = Peer::login(gate, Via::Tcp, 1002);
    let (ticket, _) = token(&mut sender, "sendfile", ("to", 1002));
    let sign = sign_upper(content, &ticket);
    let attrs = format!(r#"{{"sign":"{sign}","ext":"{ext}"}}"#);
    let fields = file(gate, &ticket, ("to", 1002), content);
    let fields = with(&with(&fields, "attrs", attrs), "mid", mid);
    let mut upload = Peer::connect(gate, Via::Ws);
    assert_eq!(upload.code("sendfile", &fields), 0);
    let url = field(&receiver.push().payload, "msg");
    url.as_str().unwrap().to_owned()
}

/// The response to GET: its head and its body. The request goes out in so many pieces.
fn get(url: &str, pieces: usize) -> (String, Vec<u8>) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(crate::peer::LIMIT)).unwrap();
    stream.set_nodelay(true).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n");
    let size = request.len().div_ceil(pieces);
    for piece in request.as_bytes().chunks(size) {
        stream.write_all(piece).unwrap();
    }
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let end = response.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let body = response.split_off(end);
    (String::from_utf8(response).unwrap(), body)
}

#[test]
fn a_file_arrives_as_a_message_with_its_url() {
    let gate = Gate::start().unwrap();
    let mut sender = Peer::login(&gate, Via::Wss, 1001);
    let mut receiver = Peer::login(&gate, Via::Tcp, 1002);
    let (ticket, endpoint) = token(&mut sender, "sendfile", ("to", 1002));
    assert_eq!(format!("wss://{endpoint}"), gate.gate().wss);
    let fields = file(&gate, &ticket, ("to", 1002), b"content");
    let mut upload = Peer::connect(&gate, Via::Wss);
    assert_eq!(upload.code("sendfile", &fields), 0);
    let push = receiver.push();
    assert_eq!(push.method, "pushmsg");
    assert_eq!(field(&push.payload, "mtype"), 40.into());
    assert_eq!(field(&push.payload, "attrs"), fields[7].1);
    let url = field(&push.payload, "msg");
    assert_eq!(
        url.as_str().unwrap(),
        format!("{}/files/1.png", gate.gate().tcp.replace("tcp", "http"))
    );
}

#[test]
fn a_token_serves_one_file_of_its_sender_to_its_target() {
    let (gate, mut sender, mut upload) = scene();
    let (ticket, _) = token(&mut sender, "sendfile", ("to", 1002));
    let good = file(&gate, &ticket, ("to", 1002), b"content");
    for (key, value) in [
        ("to", Value::from(1003)),
        ("from", 1003.into()),
        ("token", "x".into()),
    ] {
        assert_eq!(
            upload.code("sendfile", &with(&good, key, value)),
            200003,
            "{key}"
        );
    }
    let group = file(&gate, &ticket, ("gid", gate.group()), b"content");
    assert_eq!(upload.code("sendgroupfile", &group), 200003);
    assert_eq!(upload.code("sendfile", &good), 0);
    let again = with(&good, "mid", 6);
    assert_eq!(upload.code("sendfile", &again), 200003);
}

#[test]
fn both_signatures_are_accepted_in_both_forms_of_attributes_and_no_other() {
    let (gate, mut sender, mut upload) = scene();
    let signs: [fn(&[u8], &str) -> String; 2] = [sign_upper, sign_lower];
    let forms: [fn(&str) -> String; 4] = [
        |sign| format!(r#"{{"sign":"{sign}","ext":"png"}}"#),
        |sign| format!(r#"{{"sign":"{sign}","ext":null}}"#),
        |sign| format!(r#"{{"rtm":{{"sign":"{sign}"}},"custom":""}}"#),
        |sign| format!(r#"{{"rtm":{{"sign":"{sign}","ext":"a","filename":"b.a"}},"custom":{{}}}}"#),
    ];
    let mut mid = 100;
    for sign in signs {
        for form in forms {
            mid += 1;
            let (ticket, _) = token(&mut sender, "sendfile", ("to", 1002));
            let good = file(&gate, &ticket, ("to", 1002), b"content");
            let good = with(&good, "mid", mid);
            let signed = sign(b"content", &ticket);
            let swapped: String = match signed.to_uppercase() == signed {
                true => signed.to_lowercase(),
                false => signed.to_uppercase(),
            };
            for bad in [
                sign(b"other", &ticket),
                sign(b"content", "x"),
                swapped,
                String::new(),
            ] {
                let fields = with(&good, "attrs", form(&bad));
                assert_eq!(upload.code("sendfile", &fields), 200003, "{}", form(&bad));
            }
            let fields = with(&good, "attrs", form(&signed));
            assert_eq!(upload.code("sendfile", &fields), 0, "{}", form(&signed));
        }
    }
}

#[test]
fn attributes_without_sign_or_extension_are_refused() {
    let (gate, mut sender, mut upload) = scene();
    let (ticket, _) = token(&mut sender, "sendfile", ("to", 1002));
    let good = file(&gate, &ticket, ("to", 1002), b"content");
    let sign = sign_upper(b"content", &ticket);
    let only_sign = format!(r#"{{"sign":"{sign}"}}"#);
    for attrs in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"ext":"png"}"#,
        only_sign.as_str(),
        r#"{"sign":7,"ext":"png"}"#,
        r#"{"rtm":{"ext":"png"}}"#,
        r#"{"rtm":null}"#,
    ] {
        let fields = with(&good, "attrs", attrs);
        assert_eq!(upload.code("sendfile", &fields), 200004, "{attrs}");
    }
    assert_eq!(
        upload.code("sendfile", &good),
        0,
        "the token is as good as new"
    );
}

#[test]
fn types_sizes_and_projects_have_limits() {
    let (gate, mut sender, mut upload) = scene();
    let (ticket, _) = token(&mut sender, "sendfile", ("to", 1002));
    let good = file(&gate, &ticket, ("to", 1002), b"content");
    assert_eq!(upload.code("sendfile", &with(&good, "pid", 1)), 200001);
    for mtype in [0, 30, 39, 51, 256 + 40] {
        let fields = with(&good, "mtype", mtype);
        assert_eq!(upload.code("sendfile", &fields), 200007, "{mtype}");
    }
    assert_eq!(
        upload.code("sendfile", &with(&good, "attrs", " ".repeat(2_049))),
        200031
    );
    for key in [
        "pid", "from", "to", "token", "mtype", "mid", "file", "attrs",
    ] {
        let fields = with(&good, key, Value::Nil);
        assert_eq!(upload.code("sendfile", &fields), 10009, "{key}");
    }
    let most = vec![7; 5 << 20];
    let above = [&most[..], &[7]].concat();
    let large = file(&gate, &ticket, ("to", 1002), &above);
    assert_eq!(upload.code("sendfile", &large), 200031);
    for (mtype, content) in [(40, &most[..]), (50, b"")] {
        let (ticket, _) = token(&mut sender, "sendfile", ("to", 1002));
        let fields = file(&gate, &ticket, ("to", 1002), content);
        let fields = with(&with(&fields, "mtype", mtype), "mid", mtype);
        assert_eq!(upload.code("sendfile", &fields), 0, "{mtype}");
    }
}

#[test]
fn a_message_id_is_taken_once_and_a_refused_file_is_not_kept() {
    let (gate, mut sender, mut upload) = scene();
    for code in [0, 200053] {
        let (ticket, _) = token(&mut sender, "sendfile", ("to", 1002));
        let fields = file(&gate, &ticket, ("to", 1002), b"content");
        assert_eq!(upload.code("sendfile", &fields), code);
    }
    let base = gate.gate().tcp.replace("tcp", "http");
    assert_eq!(get(&format!("{base}/files/1.png"), 1).1, b"content");
    assert!(
        get(&format!("{base}/files/2.png"), 1)
            .0
            .starts_with("HTTP/1.1 404 ")
    );
}

#[test]
fn the_url_gives_the_bytes_and_closes_the_connection() {
    let gate = Gate::start().unwrap();
    for (mid, content, ext) in [
        (1, b"content".to_vec(), "png"),
        (2, Vec::new(), ""),
        (
            3,
            (0..5_u32 << 20).map(|n| (n % 251) as u8).collect(),
            "bin",
        ),
        (4, b"1".to_vec(), "a b/ä"),
    ] {
        let url = announced(&gate, mid, &content, ext);
        for pieces in [1, 3, 60] {
            let (head, body) = get(&url, pieces);
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
            let len = format!("\r\nContent-Length: {}\r\n", content.len());
            assert!(head.contains(&len), "{head}");
            assert!(head.contains("\r\nConnection: close\r\n"), "{head}");
            assert!(body == content, "{url}: {} bytes", body.len());
        }
    }
    let served = |seen: &rtm_gate::Seen| {
        let ended = seen.connections.iter().filter_map(|c| c.ended);
        ended.filter(|ended| *ended == Ended::Served).count() == 12
    };
    assert!(gate.wait_for(served, Duration::from_secs(10)));
}

#[test]
fn files_of_one_message_id_have_urls_of_their_own() {
    let gate = Gate::start().unwrap();
    let first = announced(&gate, 0, b"first", "png");
    let second = announced(&gate, 0, b"second", "png");
    assert_eq!(get(&first, 1).1, b"first");
    assert_eq!(get(&second, 1).1, b"second");
}

#[test]
fn what_is_no_file_is_not_found() {
    let gate = Gate::start().unwrap();
    announced(&gate, 1, b"content", "png");
    let base = gate.gate().tcp.replace("tcp", "http");
    for path in [
        "",
        "1",
        "2.png",
        "1.png/",
        "1.png?x",
        "../files/1.png",
        "%31.png",
    ] {
        let (head, body) = get(&format!("{base}/files/{path}"), 1);
        assert!(
            head.starts_with("HTTP/1.1 404 Not Found\r\n"),
            "{path}: {head}"
        );
        let len = format!("\r\nContent-Length: {}\r\n", body.len());
        assert!(head.contains(&len), "{head}");
    }
}

#[test]
fn a_download_that_is_not_read_holds_up_nobody() {
    let gate = Gate::start().unwrap();
    let content = vec![1; 5 << 20];
    let url = announced(&gate, 1, &content, "bin");
    assert!(gate.wait_for(|seen| seen.open() == 0, Duration::from_secs(10)));
    gate.faults().wire(Whom::Next, WireFault::StallWrites);
    let slow = std::thread::spawn({
        let url = url.clone();
        move || get(&url, 1)
    });
    assert!(gate.wait_for(|seen| seen.open() == 1, Duration::from_secs(10)));
    assert_eq!(get(&url, 1).1.len(), content.len());
    assert_eq!(Peer::connect(&gate, Via::Tcp).code("*ping", &[]), 0);
    gate.faults().clear();
    assert!(slow.join().unwrap().1 == content);
}

#[test]
fn files_go_to_groups_and_rooms_by_their_rules() {
    let gate = Gate::start().unwrap();
    let mut sender = Peer::login(&gate, Via::Tcp, 1001);
    let mut member = Peer::login(&gate, Via::Tcp, 1002);
    let ask =
        |cmd: &str, target: (&'static str, i64)| [("cmd", cmd.into()), (target.0, target.1.into())];
    assert_eq!(
        sender.code("filetoken", &ask("sendroomfile", ("rid", 9))),
        200040
    );
    assert_eq!(
        sender.code("filetoken", &ask("sendgroupfile", ("gid", 9))),
        200041
    );
    assert_eq!(
        sender.code("filetoken", &ask("sendfile", ("to", 1001))),
        200052
    );
    assert_eq!(
        sender.code("filetoken", &ask("sendnothing", ("to", 1002))),
        200034
    );
    for peer in [&mut sender, &mut member] {
        assert_eq!(peer.code("enterroom", &[("rid", 9.into())]), 0);
    }
    gate.add_to_group(9, 1001);
    gate.add_to_group(9, 1002);
    for (mid, kind, target) in [(1, "group", ("gid", 9)), (2, "room", ("rid", 9))] {
        let method = format!("send{kind}file");
        let (ticket, _) = token(&mut sender, &method, target);
        let mut fields = file(&gate, &ticket, target, b"content");
        fields[5].1 = mid.into();
        assert_eq!(Peer::connect(&gate, Via::Tcp).code(&method, &fields), 0);
        assert_eq!(member.push().method, format!("push{kind}msg"));
    }
}
