//! What the state machine costs: a call and a push from the bytes of a socket
//! to the application and back, without socket, runtime or lock.
//!
//! `cargo bench -p rtm-proto --bench client`

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use divan::Bencher;
use rtm_proto::api::SendMessage;
use rtm_proto::frame::{encode_answer, encode_quest};
use rtm_proto::payload::{Encoding, PayloadWriter};
use rtm_proto::{
    Client, Config, ConnId, Event, Input, Instant, Output, Request, RequestOptions, UserId,
};

fn main() {
    divan::main();
}

/// A client with a session, and its peer.
struct Session {
    client: Client,
    conn: ConnId,
    now: Instant,
    scratch: BytesMut,
}

impl Session {
    fn open() -> Self {
        let config = Config::new(11_000_001, UserId(654_321), "token")
            .gate("tcp://127.0.0.1:13321".parse().expect("an endpoint"));
        let now = Instant::ZERO;
        let unix = Duration::from_secs(1_592_222_222);
        let mut client = Client::new(config, 1, now, unix);
        client.login(now);
        let conn = loop {
            match client.poll_output() {
                Output::Connect { conn, .. } => break conn,
                Output::Wait { .. } => panic!("no connection wanted"),
                _ => {}
            }
        };
        let mut session = Session {
            client,
            conn,
            now,
            scratch: BytesMut::new(),
        };
        session.client.handle_input(now, Input::Connected { conn });
        let seqs = session.sent();
        session.answer(&seqs, |out| {
            out.field("ok", &true);
        });
        while !matches!(session.client.poll_output(), Output::Wait { .. }) {}
        assert!(session.client.state().is_online());
        session
    }

    /// The numbers of the quests in what the client has to send.
    fn sent(&mut self) -> Vec<u32> {
        let mut seqs = Vec::new();
        while let Some(mut piece) = self.client.poll_transmit(self.conn) {
            while piece.has_remaining() {
                let (kind, small) = (piece[6], usize::from(piece[7]));
                let body = u32::from_le_bytes([piece[8], piece[9], piece[10], piece[11]]);
                let is_quest = kind == 1;
                if is_quest {
                    seqs.push(u32::from_le_bytes([
                        piece[12], piece[13], piece[14], piece[15],
                    ]));
                }
                let method = if is_quest { small } else { 0 };
                piece.advance(16 + method + body as usize);
            }
        }
        seqs
    }

    fn answer(&mut self, seqs: &[u32], fields: impl FnOnce(&mut PayloadWriter<'_>)) {
        let mut body = BytesMut::new();
        let mut out = PayloadWriter::new(&mut body);
        fields(&mut out);
        out.finish().expect("a few short fields");
        for seq in seqs {
            encode_answer(&mut self.scratch, *seq, 0, Encoding::MsgPack, &body)
                .expect("a short answer");
        }
        let data = self.scratch.split().freeze();
        self.receive(data);
    }

    fn receive(&mut self, data: Bytes) {
        self.now = self.now + Duration::from_micros(100);
        let conn = self.conn;
        self.client
            .handle_input(self.now, Input::Received { conn, data });
    }
}

/// Calls that are made, sent together, answered together and read.
#[divan::bench(args = [1, 64], sample_count = 200, sample_size = 50)]
fn calls(bencher: Bencher<'_, '_>, in_flight: usize) {
    let mut session = Session::open();
    let text = "x".repeat(50);
    let request = SendMessage::chat(UserId(778_877), text.as_str());
    bencher
        .counter(divan::counter::ItemsCount::new(in_flight))
        .bench_local(move || {
            for _ in 0..in_flight {
                session
                    .client
                    .request(session.now, &request, RequestOptions::default())
                    .expect("there is a session");
            }
            let seqs = session.sent();
            session.answer(&seqs, |out| {
                out.field("mtime", &1_592_222_222_222_i64);
            });
            let mut answered = 0;
            loop {
                match session.client.poll_output() {
                    Output::Answer {
                        context, result, ..
                    } => {
                        let answer = result.expect("an answer");
                        request
                            .decode(&context, answer)
                            .expect("an answer with its fields");
                        answered += 1;
                    }
                    Output::Wait { .. } => break,
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(answered, in_flight);
        });
}

/// Pushes that arrive together, are delivered and answered.
#[divan::bench(args = [1, 64], sample_count = 200, sample_size = 50)]
fn pushes(bencher: Bencher<'_, '_>, together: usize) {
    let mut session = Session::open();
    let mut next_id = 0_i64;
    let text = "x".repeat(50);
    bencher
        .counter(divan::counter::ItemsCount::new(together))
        .with_inputs(move || {
            let (mut package, mut body) = (BytesMut::new(), BytesMut::new());
            for _ in 0..together {
                next_id += 1;
                body.clear();
                let mut out = PayloadWriter::new(&mut body);
                out.field("from", &778_877_i64)
                    .field("mtype", &30_i8)
                    .field("mid", &next_id)
                    .field("msg", text.as_str())
                    .field("attrs", "")
                    .field("mtime", &1_592_222_222_222_i64);
                out.finish().expect("a few short fields");
                encode_quest(&mut package, Some(7), "pushmsg", Encoding::MsgPack, &body)
                    .expect("a short push");
            }
            package.freeze()
        })
        .bench_local_values(move |data| {
            session.receive(data);
            let mut delivered = 0;
            loop {
                match session.client.poll_output() {
                    Output::Event(Event::Message(_)) => delivered += 1,
                    Output::Wait { .. } => break,
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(delivered, together);
            while session.client.poll_transmit(session.conn).is_some() {}
        });
}
