//! Any other method of any FPNN service, untyped.

use alloc::string::String;
use alloc::vec::Vec;

use rmpv::Value;

use crate::error::RequestError;
use crate::payload::{CodecError, Payload, PayloadWriter};
use crate::request::{Context, Request};

/// A call of a method that has no type of its own. The answer is a
/// [`rmpv::Value`] map; what is nested deeper than 64 levels is refused.
///
/// ```
/// use rmpv::Value;
/// use rtm_proto::api::Custom;
///
/// let request = Custom::new("getp2punread")
///     .field("uids", vec![Value::from(7), Value::from(8)])
///     .field("mtime", 1591322544000_i64);
/// # let _ = request;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Custom {
    method: String,
    fields: Vec<(String, Value)>,
}

impl Custom {
    /// A call of `method`, 1 to 255 bytes, without parameters.
    pub fn new(method: impl Into<String>) -> Self {
        Custom {
            method: method.into(),
            fields: Vec::new(),
        }
    }

    /// Adds a parameter. A name given twice is sent twice.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }
}

impl Request for Custom {
    type Response = Value;

    fn method(&self) -> &str {
        &self.method
    }

    fn encode(&self, _: &Context, out: &mut PayloadWriter<'_>) -> Result<(), RequestError> {
        for (name, value) in &self.fields {
            out.field(name, value);
        }
        Ok(())
    }

    fn decode(&self, _: &Context, answer: Payload) -> Result<Value, CodecError> {
        answer.to_value()
    }
}
