//! A call that can be told from what the client sends by itself.

use rtm_proto::error::RequestError;
use rtm_proto::payload::{CodecError, Payload, PayloadWriter};
use rtm_proto::{Context, Remembered, Request};

/// A request with a field that says that the application made it.
pub(crate) struct Own<R>(pub(crate) R);

impl<R: Request> Request for Own<R> {
    type Response = R::Response;

    fn method(&self) -> &str {
        self.0.method()
    }

    fn encode(&self, context: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        self.0.encode(context, out)?;
        out.field("own", &true);
        Ok(())
    }

    fn decode(&self, context: &Context, answer: Payload) -> Result<R::Response, CodecError> {
        self.0.decode(context, answer)
    }

    fn remembers(&self) -> Option<Remembered> {
        self.0.remembers()
    }
}
