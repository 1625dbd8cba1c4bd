//! What the unit tests of several areas need.

use bytes::BytesMut;

use crate::error::{ErrorCode, RequestError, RequestErrorKind};
use crate::payload::PayloadWriter;
use crate::request::{Context, Request};

/// Encodes with argument checks on or off.
pub(super) fn encode(request: &impl Request, check_arguments: bool) -> Result<(), RequestError> {
    let mut buffer = BytesMut::new();
    let context = Context {
        check_arguments,
        ..Context::default()
    };
    request.encode(&context, &mut PayloadWriter::new(&mut buffer))
}

/// The argument that is refused and the code of the refusal, if any. Asserts
/// that nothing is refused with the checks off.
pub(super) fn refusal(request: &impl Request) -> Option<(&'static str, ErrorCode)> {
    assert_eq!(encode(request, false), Ok(()));
    let error = encode(request, true).err()?;
    match error.kind() {
        RequestErrorKind::Invalid { field, code, .. } => Some((field, *code)),
        other => panic!("{other:?}"),
    }
}
