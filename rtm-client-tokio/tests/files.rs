//! Files on real sockets: from one client to the other, and on to whoever
//! follows the URL.

use std::future::Future;
use std::time::Duration;

use futures::StreamExt;
use rtm_client_tokio::api::{Caller, MessageApi, Recipient, RoomApi, SendFile, UploadApi};
use rtm_client_tokio::error::{ErrorCode, RequestErrorKind};
use rtm_client_tokio::rtm_proto::FileSignature;
use rtm_client_tokio::{
    Builder, Client, Conversation, Event, Events, GroupId, Message, MessageKind, MessageType,
    RequestOptions, RoomId, State, UserId,
};
use rtm_gate::{Effect, Ended, Gate, Seen, Times, Transport, Whom, WireFault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, block_in_place};

const SENDER: i64 = 1001;
const RECEIVER: i64 = 1002;
const ROOM: i64 = 9;

/// No test, and no wait within one, takes longer.
const LIMIT: Duration = Duration::from_secs(60);

async fn limited<F: Future>(test: F) -> F::Output {
    tokio::time::timeout(LIMIT, test).await.expect("in time")
}

#[derive(Clone, Copy, Debug)]
enum Via {
    Tcp,
    Ws,
    Wss,
}

const ALL: [(Via, Transport); 3] = [
    (Via::Tcp, Transport::Tcp),
    (Via::Ws, Transport::Ws),
    (Via::Wss, Transport::Wss),
];

fn builder(gate: &Gate, via: Via, user: i64) -> Builder {
    let endpoints = gate.gate();
    let endpoint = match via {
        Via::Tcp => endpoints.tcp,
        Via::Ws => endpoints.ws,
        Via::Wss => endpoints.wss,
    };
    Client::builder(gate.project_id(), user, gate.token(user))
        .gate(endpoint)
        .root_certificates_pem(gate.root_certificate())
}

async fn login(gate: &Gate, via: Via, user: i64) -> Client {
    builder(gate, via, user).login().await.unwrap()
}

/// Waits for the gate to have seen something.
fn wait_for(gate: &Gate, condition: impl Fn(&Seen) -> bool) {
    assert!(block_in_place(|| gate.wait_for(condition, LIMIT)));
}

async fn next_message(events: &mut Events) -> Message {
    loop {
        if let Event::Message(message) = events.next().await.expect("an event") {
            return message;
        }
    }
}

/// Bytes that are not all the same.
fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

/// What a URL leads to.
async fn download(url: &str) -> Vec<u8> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    assert!(response.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let end = response.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    response.split_off(end)
}

fn upload(client: &Client, len: usize) -> JoinHandle<Result<(), RequestErrorKind>> {
    let call = client.send_file(RECEIVER, MessageType::FILE, content(len));
    tokio::spawn(async move { call.await.map(drop).map_err(|error| error.kind().clone()) })
}

/// Whether every file went on a connection of its own and of this kind, which
/// never logged in and was closed by the client.
fn had_connections_of_their_own(seen: &Seen, files: usize, transport: Transport) -> bool {
    let quests = seen.quests.iter();
    let numbers = quests.filter(|quest| quest.method.ends_with("file"));
    let mut numbers: Vec<u64> = numbers.map(|quest| quest.connection).collect();
    numbers.dedup();
    let connections = numbers.iter().filter_map(|number| seen.connection(*number));
    let good = connections.filter(|connection| {
        connection.transport == transport
            && connection.user.is_none()
            && connection.ended == Some(Ended::Peer)
    });
    good.count() == files
}

#[tokio::test(flavor = "multi_thread")]
async fn users_groups_and_rooms_get_files_by_every_transport() {
    limited(async {
        for (via, transport) in ALL {
            let gate = Gate::start().unwrap();
            let sender = login(&gate, via, SENDER).await;
            let receiver = login(&gate, via, RECEIVER).await;
            let mut events = receiver.events();
            for client in [&sender, &receiver] {
                client.enter_room(ROOM).await.unwrap();
            }
            let (user, group, room) = (UserId(RECEIVER), GroupId(gate.group()), RoomId(ROOM));
            for (recipient, len, conversation) in [
                (Recipient::User(user), 1000, Conversation::P2p),
                (Recipient::Group(group), 300_000, Conversation::Group(group)),
                (Recipient::Room(room), 1, Conversation::Room(room)),
            ] {
                let request = SendFile::new(recipient, MessageType::IMAGE, content(len));
                let receipt = sender.call(request.name("cat.png")).await.unwrap();
                let message = next_message(&mut events).await;
                assert_eq!(message.conversation, conversation, "{via:?}");
                assert_eq!(message.sender, UserId(SENDER));
                assert_eq!(message.kind, MessageKind::File);
                assert_eq!(message.message_type, MessageType::IMAGE);
                assert_eq!(message.message_id, receipt.message_id);
                assert_eq!(message.time_ms, receipt.time_ms);
                assert!(
                    message.attrs.contains(r#""ext":"png""#),
                    "{}",
                    message.attrs
                );
                let url = message.body.as_text().unwrap();
                assert!(url.ends_with(".png"), "{url}");
                assert!(
                    download(url).await == content(len),
                    "{via:?} {conversation:?}"
                );
            }
            wait_for(&gate, |seen| {
                had_connections_of_their_own(seen, 3, transport)
            });
            assert!(sender.state().is_online());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_file_arrives_whole_and_its_progress_ends_at_the_total() {
    limited(async {
        let gate = Gate::start().unwrap();
        let sender = login(&gate, Via::Wss, SENDER).await;
        let receiver = login(&gate, Via::Tcp, RECEIVER).await;
        let mut told = sender.events();
        let file = content(5 << 20);
        let call = sender.send_file(RECEIVER, MessageType::FILE, file.clone());
        let receipt = call.await.unwrap();
        let message = next_message(&mut receiver.events()).await;
        let url = message.body.as_text().unwrap();
        assert!(download(url).await == file);
        let mut last = 0;
        while last < 5 << 20 {
            if let Event::UploadProgress {
                message_id,
                sent,
                total,
            } = told.next().await.expect("an event")
            {
                assert_eq!((message_id, total), (receipt.message_id, 5 << 20));
                assert!(sent > last && sent <= total);
                last = sent;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_fails_tells_why_and_leaves_the_session_alone() {
    limited(async {
        let gate = Gate::start().unwrap();
        for (via, _) in ALL {
            let sender = login(&gate, via, SENDER).await;
            for (method, effect, code) in [
                ("filetoken", Effect::Error(200_041), 200_041),
                ("sendfile", Effect::Error(200_003), 200_003),
                ("sendfile", Effect::Close, 20_002),
                ("sendfile", Effect::Reset, 20_002),
            ] {
                gate.faults().on(method, effect.clone(), Times::N(1));
                let call = sender.send_file(RECEIVER, MessageType::FILE, content(100_000));
                let error = call.await.unwrap_err();
                assert_eq!(error.code(), ErrorCode(code), "{via:?} {effect:?}: {error}");
                assert!(error.message_id().is_some());
                if code == 20_002 {
                    let lost = RequestErrorKind::ConnectionLost { sent: true };
                    assert_eq!(*error.kind(), lost);
                }
                sender.send_chat(RECEIVER, "still here").await.unwrap();
            }
            assert_eq!(sender.in_flight(), 0);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_and_the_service_refuse_the_same_files() {
    limited(async {
        let gate = Gate::start().unwrap();
        for checked in [true, false] {
            let config = builder(&gate, Via::Tcp, SENDER).check_arguments(checked);
            let sender = config.login().await.unwrap();
            for (kind, len, code) in [
                (
                    MessageType::FILE,
                    (5 << 20) + 1,
                    ErrorCode::LARGE_FILE_OR_ATTRS,
                ),
                (MessageType::CHAT, 1, ErrorCode::INVALID_FILE_MTYPE),
            ] {
                let call = sender.send_file(RECEIVER, kind, content(len));
                assert_eq!(call.await.unwrap_err().code(), code);
            }
            let asked = gate.seen().count("filetoken");
            assert_eq!(asked, if checked { 0 } else { 2 });
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_an_answer_ends_with_its_deadline() {
    limited(async {
        let gate = Gate::start().unwrap();
        let config = builder(&gate, Via::Ws, SENDER).file_timeout(Duration::from_millis(300));
        let sender = config.login().await.unwrap();
        gate.faults().on("filetoken", Effect::Ignore, Times::N(1));
        let unsent = RequestErrorKind::TimedOut { sent: false };
        assert_eq!(upload(&sender, 1000).await.unwrap(), Err(unsent));
        let patient = sender.with_timeout(Duration::from_secs(2));
        gate.faults().on("sendfile", Effect::Ignore, Times::N(1));
        let sent = RequestErrorKind::TimedOut { sent: true };
        assert_eq!(upload(&patient, 1000).await.unwrap(), Err(sent));
        sender.send_chat(RECEIVER, "still here").await.unwrap();
        wait_for(&gate, |seen| seen.open() == 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_closes_its_connection_in_whatever_step_it_is() {
    limited(async {
        for via in [Via::Ws, Via::Wss] {
            let gate = Gate::start().unwrap();
            let sender = login(&gate, via, SENDER).await;
            // The token does not come.
            gate.faults().on("filetoken", Effect::Ignore, Times::N(1));
            let task = upload(&sender, 1000);
            wait_for(&gate, |seen| seen.count("filetoken") == 1);
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            // The handshake is not answered.
            gate.faults().wire(Whom::Next, WireFault::Mute);
            let task = upload(&sender, 1000);
            wait_for(&gate, |seen| seen.connections.len() == 2);
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            wait_for(&gate, |seen| seen.open() == 1);
            // The file is not answered.
            gate.faults().on("sendfile", Effect::Ignore, Times::N(1));
            let task = upload(&sender, 1000);
            wait_for(&gate, |seen| seen.count("sendfile") == 1);
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            wait_for(&gate, |seen| seen.open() == 1);
            assert_eq!(sender.in_flight(), 0);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_file_gate_delays_no_other_call() {
    limited(async {
        for fault in [WireFault::StallReads, WireFault::StallWrites] {
            let gate = Gate::start().unwrap();
            let sender = login(&gate, Via::Tcp, SENDER).await;
            gate.faults().wire(Whom::Next, fault);
            let slow = upload(&sender, 5 << 20);
            wait_for(&gate, |seen| seen.connections.len() == 2);
            for _ in 0..50 {
                sender.send_chat(RECEIVER, "meanwhile").await.unwrap();
            }
            assert_eq!(upload(&sender, 1000).await.unwrap(), Ok(()));
            assert!(!slow.is_finished());
            assert_eq!(sender.in_flight(), 1);
            gate.faults().clear();
            assert_eq!(slow.await.unwrap(), Ok(()));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_answer_was_lost_arrives_once() {
    limited(async {
        let gate = Gate::start().unwrap();
        let sender = login(&gate, Via::Ws, SENDER).await;
        let receiver = login(&gate, Via::Ws, RECEIVER).await;
        let lost = Effect::LoseAnswerAndClose;
        gate.faults().on("sendfile", lost, Times::N(1));
        let sender = sender.with_options(RequestOptions::default().resend_on_loss(1));
        let call = sender.send_file(RECEIVER, MessageType::FILE, content(100));
        let receipt = call.await.unwrap();
        assert!(receipt.deduplicated);
        sender.send_chat(RECEIVER, "the next").await.unwrap();
        let mut events = receiver.events();
        let file = next_message(&mut events).await;
        assert_eq!(file.message_id, receipt.message_id);
        let next = next_message(&mut events).await;
        assert_eq!(next.body.as_text(), Some("the next"));
        let seen = gate.seen();
        let tokens: Vec<_> = seen
            .quests_of("sendfile")
            .map(|quest| quest.payload.get("token").and_then(|token| token.as_str()))
            .collect();
        assert_eq!(tokens.len(), 2);
        assert_ne!(tokens[0], tokens[1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_signatures_are_accepted_and_the_newer_carries_attributes() {
    limited(async {
        let gate = Gate::start().unwrap();
        let receiver = login(&gate, Via::Ws, RECEIVER).await;
        let mut events = receiver.events();
        let file = || SendFile::new(UserId(RECEIVER), MessageType::FILE, content(10)).name("a.txt");
        for (signature, request, wanted) in [
            (FileSignature::Seed, file(), r#""ext":"txt""#),
            (
                FileSignature::Current,
                file().attrs("mine"),
                r#""custom":"mine""#,
            ),
        ] {
            let config = builder(&gate, Via::Ws, SENDER).file_signature(signature);
            let sender = config.login().await.unwrap();
            sender.call(request).await.unwrap();
            let attrs = next_message(&mut events).await.attrs;
            assert!(attrs.contains(wanted), "{attrs}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_under_way_ends_with_the_client() {
    limited(async {
        let gate = Gate::start().unwrap();
        gate.faults().on("sendfile", Effect::Ignore, Times::Always);
        for abort in [true, false] {
            let sender = login(&gate, Via::Ws, SENDER).await;
            let before = gate.seen().count("sendfile");
            let task = upload(&sender, 1000);
            wait_for(&gate, |seen| seen.count("sendfile") > before);
            if abort {
                sender.abort();
            } else {
                gate.kick(SENDER);
            }
            let lost = RequestErrorKind::ConnectionLost { sent: true };
            assert_eq!(task.await.unwrap(), Err(lost));
            wait_for(&gate, |seen| seen.open() == 0);
            assert!(matches!(sender.state(), State::Closed { .. }));
        }
    })
    .await;
}
