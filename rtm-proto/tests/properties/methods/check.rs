//! What must hold of the request and the response of any method.

use std::cell::Cell;
use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use rmpv::Value;
use rtm_proto::frame::Quest;
use rtm_proto::payload::{CodecError, CodecErrorKind, Encoding, Payload, PayloadWriter};
use rtm_proto::{Context, Request};

use super::forms::map;
use super::forms::{bodies, shortest};

/// A method under test, and which ways were checked.
pub(super) struct Method {
    name: &'static str,
    wrote: Cell<bool>,
    read: Cell<bool>,
}

impl Method {
    pub(super) const fn new(name: &'static str) -> Self {
        Method {
            name,
            wrote: Cell::new(false),
            read: Cell::new(false),
        }
    }

    pub(super) fn done(&self) {
        let checked = (self.wrote.get(), self.read.get());
        assert_eq!(checked, (true, true), "written and read: {}", self.name);
    }

    /// The request is of this method and writes exactly these fields.
    pub(super) fn writes<R: Request>(&self, request: &R, fields: &[(&str, Value)]) {
        self.writes_in(&Context::default(), request, fields);
    }

    pub(super) fn writes_in<R: Request>(
        &self,
        context: &Context,
        request: &R,
        fields: &[(&str, Value)],
    ) {
        let mut out = BytesMut::new();
        let mut writer = PayloadWriter::new(&mut out);
        request.encode(context, &mut writer).unwrap();
        writer.finish().unwrap();
        self.wrote(request.method(), &out, fields);
    }

    /// The client sent this method with exactly these fields.
    pub(super) fn sends(&self, quest: &Quest, fields: &[(&str, Value)]) {
        assert_eq!(quest.payload.encoding(), Encoding::MsgPack);
        self.wrote(quest.method(), quest.payload.as_bytes(), fields);
    }

    fn wrote(&self, method: &str, body: &[u8], fields: &[(&str, Value)]) {
        assert_eq!(method, self.name);
        let mut rest = body;
        let written = rmpv::decode::read_value(&mut rest).unwrap();
        assert!(rest.is_empty());
        assert_eq!(sorted(written), sorted(map(fields)));
        self.wrote.set(true);
    }

    /// An answer with these fields, in every form of the wire.
    pub(super) fn answers(&self, fields: &[(&str, Value)]) -> Vec<Vec<u8>> {
        self.read.set(true);
        bodies(fields)
    }

    /// An answer with these fields reads as `expected`, in every form. Without
    /// one of `required` it is refused, without one of the others it is not.
    pub(super) fn reads<R: Request, T: PartialEq + Debug>(
        &self,
        request: &R,
        required: &[&str],
        fields: &[(&str, Value)],
        view: impl Fn(R::Response) -> T,
        expected: &T,
    ) {
        let context = Context::default();
        self.reads_in(&context, request, fields, view, expected);
        for lacking in required {
            assert!(fields.iter().any(|(key, _)| key == lacking));
        }
        for (lacking, _) in fields {
            let mut rest = fields.to_vec();
            rest.retain(|(key, _)| key != lacking);
            let outcome = decode(request, &context, shortest(&map(&rest))).map(drop);
            let refusal = outcome.err().map(|error| (error.kind(), error.to_string()));
            if required.contains(lacking) {
                let (kind, text) = refusal.expect(lacking);
                assert_eq!(kind, CodecErrorKind::Missing);
                assert!(text.contains(lacking), "{text} names {lacking}");
            } else {
                assert_eq!(refusal, None, "without {lacking}");
            }
        }
    }

    pub(super) fn reads_in<R: Request, T: PartialEq + Debug>(
        &self,
        context: &Context,
        request: &R,
        fields: &[(&str, Value)],
        view: impl Fn(R::Response) -> T,
        expected: &T,
    ) {
        for body in self.answers(fields) {
            let read = decode(request, context, body).unwrap();
            assert_eq!(&view(read), expected);
        }
    }

    /// The answer carries nothing, and nothing in it is missed or in the way.
    pub(super) fn gives_nothing<R: Request<Response = ()>>(&self, request: &R) {
        self.reads(request, &[], &[], |()| (), &());
    }
}

fn decode<R: Request>(
    request: &R,
    context: &Context,
    body: Vec<u8>,
) -> Result<R::Response, CodecError> {
    let payload = Payload::new(Encoding::MsgPack, Bytes::from(body)).unwrap();
    request.decode(context, payload)
}

/// With the fields in an order that does not depend on the writer.
fn sorted(body: Value) -> Value {
    let Value::Map(mut entries) = body else {
        panic!("{body} is no map");
    };
    entries.sort_by_key(|(key, _)| key.to_string());
    Value::Map(entries)
}
