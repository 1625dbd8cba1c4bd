//! What a user stores under keys of its own.

use super::{Cx, DONE, Table};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::wire::Value;

pub(super) const METHODS: Table = &[
    ("dataset", dataset),
    ("dataget", dataget),
    ("datadel", datadel),
];

/// Bytes of a key.
const MAX_KEY: usize = 128;
/// Bytes of a value.
const MAX_VALUE: usize = 65_535;

fn key<'a>(params: &Params<'a>) -> Result<&'a str, Refusal> {
    let key = params.text("key")?;
    match key.len() {
        0 => Err(Refusal::code(200033)),
        1..=MAX_KEY => Ok(key),
        _ => Err(Refusal::code(200035)),
    }
}

fn dataset(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let (key, value) = (key(params)?, params.text("val")?);
    if value.len() > MAX_VALUE {
        return Err(Refusal::code(200035));
    }
    cx.user().data.insert(key.to_owned(), value.to_owned());
    DONE
}

fn dataget(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let value = cx.user().data.get(key(params)?);
    Ok(Value::map(
        value.map(|value| ("val", value.as_str().into())),
    ))
}

fn datadel(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    cx.user().data.remove(key(params)?);
    DONE
}
