//! What a package costs: a typed message to bytes, bytes to a typed answer and
//! to a typed push.
//!
//! `cargo bench -p rtm-proto --bench codec`

use bytes::{Bytes, BytesMut};
use divan::{Bencher, black_box};
use rtm_proto::api::SendMessage;
use rtm_proto::event::Message;
use rtm_proto::frame::{DEFAULT_MAX_PACKAGE, Decoder, Frame, encode_answer, encode_quest};
use rtm_proto::payload::{Encoding, PayloadWriter};
use rtm_proto::{Context, MessageId, Request, UserId};

fn main() {
    divan::main();
}

fn context() -> Context {
    let mut context = Context::default();
    context.project_id = 11_000_001;
    context.user_id = UserId(654_321);
    context.message_id = MessageId(1_592_222_222_222_001);
    context.check_arguments = true;
    context
}

fn body(write: impl FnOnce(&mut PayloadWriter<'_>)) -> BytesMut {
    let mut body = BytesMut::new();
    let mut out = PayloadWriter::new(&mut body);
    write(&mut out);
    out.finish().expect("a few short fields");
    body
}

fn answer() -> Bytes {
    let body = body(|out| {
        out.field("mtime", &1_592_222_222_222_i64);
    });
    let mut package = BytesMut::new();
    encode_answer(&mut package, 7, 0, Encoding::MsgPack, &body).expect("a short answer");
    package.freeze()
}

fn push() -> Bytes {
    let body = body(|out| {
        out.field("from", &654_321_i64)
            .field("mtype", &30_i8)
            .field("mid", &1_592_222_222_222_001_i64)
            .field("msg", "x".repeat(50).as_str())
            .field("attrs", "")
            .field("mtime", &1_592_222_222_222_i64);
    });
    let mut package = BytesMut::new();
    encode_quest(&mut package, Some(7), "pushmsg", Encoding::MsgPack, &body).expect("a short push");
    package.freeze()
}

/// A chat of 50 bytes, to a whole package in memory that is used again.
#[divan::bench(sample_count = 200, sample_size = 500)]
fn encode_message(bencher: Bencher<'_, '_>) {
    let text = "x".repeat(50);
    let request = SendMessage::chat(UserId(778_877), text.as_str());
    let context = context();
    let (mut body, mut package) = (BytesMut::new(), BytesMut::new());
    bencher.bench_local(move || {
        body.clear();
        package.clear();
        let request = black_box(&request);
        let mut out = PayloadWriter::new(&mut body);
        request.encode(&context, &mut out).expect("valid arguments");
        out.finish().expect("a few short fields");
        let method = request.method();
        encode_quest(&mut package, Some(7), method, Encoding::MsgPack, &body)
            .expect("a short quest");
        package.len()
    });
}

/// The bytes of an answer, to what the call returns.
#[divan::bench(sample_count = 200, sample_size = 500)]
fn decode_answer(bencher: Bencher<'_, '_>) {
    let request = SendMessage::chat(UserId(778_877), "hello");
    let (context, package) = (context(), answer());
    let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
    bencher.bench_local(move || {
        decoder.push(black_box(&package).clone());
        match decoder.next_frame() {
            Ok(Some(Frame::Answer(answer))) => request
                .decode(&context, answer.payload)
                .expect("an answer with its fields"),
            other => panic!("{other:?}"),
        }
    });
}

/// The bytes of a push of 50 bytes of text, to the message.
#[divan::bench(sample_count = 200, sample_size = 500)]
fn decode_push(bencher: Bencher<'_, '_>) {
    let package = push();
    let mut decoder = Decoder::new(DEFAULT_MAX_PACKAGE);
    bencher.bench_local(move || {
        decoder.push(black_box(&package).clone());
        match decoder.next_frame() {
            Ok(Some(Frame::Quest(quest))) => {
                Message::from_push(quest.method(), &quest.payload).expect("a push with its fields")
            }
            other => panic!("{other:?}"),
        }
    });
}
