//! Who is there.

use super::{Cx, Table};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::wire::Value;

pub(super) const METHODS: Table = &[("getonlineusers", getonlineusers)];

/// Users per call.
const MAX_PER_CALL: usize = 200;

fn getonlineusers(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let asked = params.ids("uids", MAX_PER_CALL)?;
    let online = asked.into_iter().filter(|uid| cx.world.is_online(*uid));
    Ok(Value::map([("uids", Value::ints(online))]))
}
