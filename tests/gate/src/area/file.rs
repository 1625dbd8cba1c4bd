//! Files: the permission on the gate, the file itself on a connection of its own that never logs in.

use super::message::{Message, Target, post};
use super::{Cx, Table};
use crate::clock::now_ms;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::wire::{Value, http};
use crate::world::{World, hex_upper};
use md5::{Digest, Md5};

pub(super) const METHODS: Table = &[("filetoken", filetoken)];

/// Bytes of a file; `rtm-doc`, limits of 2018.
const MAX_FILE: usize = 5 << 20;
/// Bytes of its attributes.
const MAX_ATTRS: usize = 2_048;

/// A token for one file, and where to send it.
fn filetoken(cx: &mut Cx<'_>, params: &Params<'_>) -> Result<Value, Refusal> {
    let target = match params.text("cmd")? {
        "sendfile" => Target::User(params.int("to")?),
        "sendgroupfile" => Target::Group(params.int("gid")?),
        "sendroomfile" => Target::Room(params.int("rid")?),
        _ => return Err(Refusal::code(200034)),
    };
    match target {
        Target::User(to) if to == cx.uid => return Err(Refusal::code(200052)),
        Target::Group(gid) => drop(super::group::of_member(cx, gid)?),
        Target::Room(rid) => super::room::require_inside(cx, rid)?,
        _ => {}
    }
    let salt = cx.service.config.salt;
    let hash = |number| hex_upper(&Md5::digest(format!("file:{salt}:{number}")));
    let token = cx.world.file_tokens.make(cx.uid, target, hash);
    let endpoint = cx.service.ports.endpoint(cx.conn.tls);
    Ok(Value::map([
        ("token", token.into()),
        ("endpoint", endpoint.into()),
    ]))
}

/// Takes a file in: `sendfile`, `sendgroupfile` or `sendroomfile`.
pub(crate) fn receive(
    service: &Service,
    world: &mut World,
    method: &str,
    params: &Params<'_>,
) -> Result<Value, Refusal> {
    let target = match method {
        "sendgroupfile" => Target::Group(params.int("gid")?),
        "sendroomfile" => Target::Room(params.int("rid")?),
        _ => Target::User(params.int("to")?),
    };
    let (project_id, from) = (params.int("pid")?, params.int("from")?);
    let token = params.text("token")?;
    let (mtype, mid) = (params.int("mtype")?, params.int("mid")?);
    let file = params.body("file")?.as_bytes().unwrap_or_default();
    let attrs = params.text("attrs")?;
    if project_id != i64::from(service.config.project_id) {
        return Err(Refusal::code(200001));
    }
    if !(40..=50).contains(&mtype) {
        return Err(Refusal::code(200007));
    }
    if file.len() > MAX_FILE || attrs.len() > MAX_ATTRS {
        return Err(Refusal::code(200031));
    }
    let (sign, extension) = sign_and_extension(attrs)?;
    if !is_sign(&sign, file, token) || !world.file_tokens.redeem(token, from, target) {
        return Err(Refusal::code(200003));
    }
    if !world.take_mid(from, mid) {
        return Err(Refusal::code(200053));
    }
    let name = world.files.keep(file, &extension);
    let message = Message {
        target,
        from,
        mid,
        mtype,
        body: url(service, &name).into(),
        attrs: attrs.to_owned(),
        mtime: now_ms(),
    };
    post(service, world, &message, None);
    Ok(Value::map([("mtime", message.mtime.into())]))
}

/// Reads `{sign, ext}` of 2020 or `{rtm: {sign, ext?}}` of newer clients.
fn sign_and_extension(attrs: &str) -> Result<(String, String), Refusal> {
    let refusal = || Refusal::code(200004);
    let attrs: serde_json::Value = serde_json::from_str(attrs).map_err(|_| refusal())?;
    let (inner, extension) = match attrs.get("rtm") {
        Some(inner) => (inner, inner.get("ext")),
        None => (&attrs, Some(attrs.get("ext").ok_or_else(refusal)?)),
    };
    let sign = inner.get("sign").and_then(|sign| sign.as_str());
    let extension = extension.and_then(|ext| ext.as_str()).unwrap_or_default();
    Ok((sign.ok_or_else(refusal)?.to_owned(), extension.to_owned()))
}

/// Whether this signs the file: MD5 over the hex MD5 of the file, a colon and the token, in upper case throughout, as
/// the clients of 2020 do, or in lower case throughout, as newer ones do.
fn is_sign(sign: &str, file: &[u8], token: &str) -> bool {
    let hash = hex_upper(&Md5::digest(file));
    let upper = hex_upper(&Md5::digest(format!("{hash}:{token}")));
    let lower = hex_upper(&Md5::digest(format!("{}:{token}", hash.to_lowercase())));
    sign == upper || sign == lower.to_lowercase()
}

/// Where the file is.
fn url(service: &Service, name: &str) -> String {
    let endpoint = service.ports.endpoint(false);
    format!("http://{endpoint}{}{name}", http::FILES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_signature_are_known_and_no_mixture() {
        let fits = |sign: &str| is_sign(sign, b"hello", "TOKEN");
        assert!(fits("efbbfb6ee28aded63a1c810239aa36b0"));
        assert!(fits("41A6D28874203C475362A74B45677CB4"));
        assert!(!fits("41a6d28874203c475362a74b45677cb4"));
        assert!(!fits(""));
    }

    #[test]
    fn attributes_without_sign_or_extension_are_refused() {
        let code = |attrs: &str| sign_and_extension(attrs).map_err(|refusal| refusal.code);
        assert_eq!(code("{}"), Err(200004));
        assert_eq!(code(r#"{"sign":"s"}"#), Err(200004));
        assert_eq!(code("nothing"), Err(200004));
        let pair = |ext: &str| Ok(("s".to_owned(), ext.to_owned()));
        assert_eq!(code(r#"{"sign":"s","ext":null}"#), pair(""));
        assert_eq!(
            code(r#"{"rtm":{"sign":"s","ext":"png"},"custom":""}"#),
            pair("png")
        );
    }
}
