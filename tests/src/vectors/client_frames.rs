//! `client-frames.json`: what the client must send.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::args::Args;
use super::compare;
use super::methods::{self, NOT_BUILT};
use super::record::{Record, Verdict};
use super::server::{Arrived, Server, Step};
use super::setup::{answer, builder, builder_of, packed, refuse, welcome};
use super::subject::Subject;
use super::{Job, job};
use crate::package::Package;
use crate::value::Value;

/// Packages are noticed before they are answered, so what the client sent in
/// the end is there already; this only covers calls that end early.
const LEFTOVER: Duration = Duration::from_millis(500);
/// Addresses that the proxied records name.
const PROXIED_DISPATCH: &str = "10.0.0.5:13325";
const PROXIED_GATE: &str = "10.0.0.7:13321";

/// The records as jobs; those of one sequence are one job.
pub(super) fn jobs<S: Subject>(records: Vec<Record>) -> Vec<Job> {
    let all = Arc::new(records);
    let mut jobs = Vec::new();
    let mut sequences: Vec<&str> = Vec::new();
    for record in all.iter() {
        match record.opt_text("sequence") {
            None => {
                let (record, all) = (record.clone(), all.clone());
                jobs.push(job(record.id(), move || single::<S>(&record, &all)));
            }
            Some(name) if sequences.contains(&name) => {}
            Some(name) => {
                sequences.push(name);
                jobs.push(sequence_job::<S>(name, &all));
            }
        }
    }
    jobs
}

fn single<S: Subject>(record: &Record, all: &[Record]) -> Verdict {
    let method = record.text("sdk_method")?;
    if !methods::is_built(method) {
        return Err(NOT_BUILT.into());
    }
    let args = Args(match record.args()? {
        Some(args) => args,
        None => args_of_first(all, method)?,
    });
    let proxied = record.text("kind")? == "proxy";
    let address = Arc::new(OnceLock::new());
    let server = Server::start(proxied, responder(file_token(record, all), address.clone()));
    let server = server.map_err(|error| format!("no server: {error}"))?;
    let authority = server.authority();
    if let Ok(parsed) = authority.parse::<SocketAddr>() {
        let _ = address.set(parsed);
    }

    let builder = builder_of::<S>(record)?;
    let builder = match (proxied, record.opt_text("conn")) {
        (true, _) => {
            let builder = builder.dispatch(PROXIED_DISPATCH).ssl(true);
            builder.proxy_endpoint(format!("ws://{authority}"))
        }
        (false, Some("dispatch")) => builder.dispatch(format!("ws://{authority}")),
        (false, _) => builder.gate(format!("ws://{authority}")),
    };
    let client = S::build(builder).map_err(|error| format!("build: {error}"))?;
    let login = client.log_in();
    let outcome = match (login, method) {
        (Ok(()), "login") => "login succeeded".into(),
        (Ok(()), _) => match methods::call(method, &client, &args)? {
            Ok(value) => format!("the call gave {value}"),
            Err(error) => error.to_string(),
        },
        (Err(error), _) => error.to_string(),
    };
    let arrived = nth(&server, position(record)?).map_err(|why| format!("{why}; {outcome}"))?;
    judge(record, &arrived, &args)
}

/// How many packages the client sends before the recorded one.
fn position(record: &Record) -> Result<usize, String> {
    let of_login = usize::from(record.text("sdk_method")? != "login");
    Ok(match (record.text("kind")?, record.opt_text("conn")) {
        ("proxy", _) => 1 + of_login - usize::from(record.text("method")? == "which"),
        ("file", Some("file gate")) => 2,
        _ => of_login,
    })
}

fn nth(server: &Server, skip: usize) -> Result<Arrived, String> {
    for _ in 0..skip {
        server.next_package(LEFTOVER)?;
    }
    server.next_package(LEFTOVER)
}

fn args_of_first(all: &[Record], method: &str) -> Result<Value, String> {
    let same = |record: &&Record| record.opt_text("sdk_method") == Some(method);
    for record in all.iter().filter(same) {
        if let Some(args) = record.args()? {
            return Ok(args);
        }
    }
    Ok(Value::map([]))
}

/// The token a gate gives for the file call that `record` belongs to.
fn file_token(record: &Record, all: &[Record]) -> Option<String> {
    let token = |record: &Record| {
        let answer = record.part("file_token_answer")?;
        answer.opt_text("token").map(str::to_owned)
    };
    token(record).or_else(|| all.iter().find_map(token))
}

/// Lets everybody in, names itself as every address, and refuses calls: what
/// they sent is all that counts.
fn responder(
    file_token: Option<String>,
    address: Arc<OnceLock<SocketAddr>>,
) -> impl Fn(usize, &Package) -> Vec<Step> {
    move |_, package| match package.method.as_str() {
        "auth" => welcome(package),
        "which" => answer(package, &packed([("endpoint", PROXIED_GATE.into())])),
        "filetoken" => match (&file_token, address.get()) {
            (Some(token), Some(address)) => {
                let endpoint = address.to_string();
                let token = token.as_str();
                answer(
                    package,
                    &packed([("token", token.into()), ("endpoint", endpoint.into())]),
                )
            }
            _ => refuse(package),
        },
        _ => refuse(package),
    }
}

fn judge(record: &Record, arrived: &Arrived, args: &Args) -> Verdict {
    let package = &arrived.package;
    header(record, package)?;
    if !arrived.alone {
        return Err("the package was not one whole WebSocket message".into());
    }
    if record
        .opt_text("ws_path")
        .is_some_and(|path| path != arrived.path)
    {
        return Err(format!("request for {}", arrived.path));
    }
    if let Some(wrapper) = record.part("wrapper") {
        let wanted = wrapper.text("endpoint")?;
        if arrived.wrapped_for.as_deref() != Some(wanted) {
            return Err(format!(
                "proxied to {:?} instead of {wanted}",
                arrived.wrapped_for
            ));
        }
    }
    payload(record, package, args)
}

fn header(record: &Record, package: &Package) -> Verdict {
    let header = record.part("header").ok_or("the record has no header")?;
    let ordered = matches!(record.text("kind")?, "sequence" | "proxy");
    let method = record.text("method")?;
    if package.method != method {
        return Err(format!("method {:?} instead of {method:?}", package.method));
    }
    for (name, found) in [
        ("version", Some(package.version.into())),
        ("flag", Some(package.flag.into())),
        ("mtype", Some(package.mtype.into())),
        ("ss", Some(package.ss.into())),
        ("seq", package.seq.map(u64::from)),
    ] {
        let wanted = header.number(name);
        if found != wanted && !(ordered && name == "seq") {
            return Err(format!("{name} {found:?} instead of {wanted:?}"));
        }
    }
    Ok(())
}

fn payload(record: &Record, package: &Package, args: &Args) -> Verdict {
    let mut found = package.payload.clone();
    if let Some(without_file) = record.value("payload_without_file")? {
        let sent = remove(&mut found, "file");
        let Some(Value::File { content, .. }) = args.get("file") else {
            return Err("the record has no file".into());
        };
        if sent.as_ref().and_then(Value::as_bytes) != Some(content) {
            return Err("file: not the content that was given".into());
        }
        return fields(record, without_file, found);
    }
    if record.flag("payload_big") {
        return long_frame(record, package);
    }
    let wanted = match record.value("expect_payload")? {
        Some(wanted) => wanted,
        None => record
            .value("payload")?
            .ok_or("the record has no payload")?,
    };
    fields(record, wanted, found)
}

fn fields(record: &Record, mut wanted: Value, mut found: Value) -> Verdict {
    if record.json("mid_generated").is_some() && wanted.get("mid").is_some() {
        remove(&mut wanted, "mid");
        let mid = remove(&mut found, "mid").unwrap_or(Value::Nil);
        if mid.as_int().is_none_or(|mid| mid <= 0) {
            return Err(format!("mid: {mid} is not above 0"));
        }
    }
    if record.json("sign_md5_upper").is_some() {
        let (want, got) = (remove(&mut wanted, "attrs"), remove(&mut found, "attrs"));
        file_attrs(want.as_ref(), got.as_ref()).map_err(|why| format!("attrs: {why}"))?;
    }
    compare::payload(&wanted, &found)
}

fn remove(map: &mut Value, key: &str) -> Option<Value> {
    let Value::Map(entries) = map else {
        return None;
    };
    let at = entries.iter().position(|(k, _)| k.as_text() == Some(key))?;
    Some(entries.remove(at).1)
}

/// `attrs` of file calls are JSON: `sign` counts, and `ext`, of which null,
/// empty and absent are the same.
fn file_attrs(wanted: Option<&Value>, found: Option<&Value>) -> Verdict {
    let parse = |value: Option<&Value>| {
        let text = value.and_then(Value::as_text).ok_or("missing")?;
        serde_json::from_str::<Json>(text).map_err(|error| format!("{text:?}: {error}"))
    };
    let (wanted, found) = (parse(wanted)?, parse(found)?);
    let ext = |attrs: &Json| attrs["ext"].as_str().unwrap_or_default().to_owned();
    if wanted["sign"] != found["sign"] || ext(&wanted) != ext(&found) {
        return Err(format!("{found} instead of {wanted}"));
    }
    Ok(())
}

/// A message of which the record has only the digest: written again with the
/// key order and the integer widths of the seed, it must be the same bytes.
fn long_frame(record: &Record, package: &Package) -> Verdict {
    let bytes = as_seed_writes(package).ok_or("the payload is not that of a message")?;
    if record.number("frame_len") != u64::try_from(bytes.len()).ok() {
        return Err(format!("{} bytes in the seed's form", bytes.len()));
    }
    let digest: String = Sha256::digest(&bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    if record.text("frame_sha256")? != digest {
        return Err(format!("sha256 {digest} in the seed's form"));
    }
    Ok(())
}

/// Ids take nine bytes, everything else as few as possible.
fn as_seed_writes(package: &Package) -> Option<Vec<u8>> {
    let keys = ["to", "gid", "rid", "mid", "mtype", "msg", "attrs"];
    let payload = &package.payload;
    let mut body = vec![0x80 | u8::try_from(payload.entries().len()).ok()?];
    for key in keys {
        let Some(value) = payload.get(key) else {
            continue;
        };
        rmpv::encode::write_value(&mut body, &key.into()).ok()?;
        match value {
            Value::Int(id) if key != "mtype" => {
                body.push(0xd3);
                body.extend(i64::try_from(*id).ok()?.to_be_bytes());
            }
            Value::Int(number) => {
                let number = i64::try_from(*number).ok()?;
                rmpv::encode::write_value(&mut body, &number.into()).ok()?;
            }
            other => rmpv::encode::write_value(&mut body, &other.as_text()?.into()).ok()?,
        }
    }
    let mut bytes = b"FPNN".to_vec();
    bytes.extend([package.version, package.flag, package.mtype, package.ss]);
    bytes.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
    bytes.extend(package.seq?.to_le_bytes());
    bytes.extend(package.method.bytes());
    bytes.extend(body);
    Some(bytes)
}

fn sequence_job<S: Subject>(name: &str, all: &[Record]) -> Job {
    let of_this = |record: &&Record| record.opt_text("sequence") == Some(name);
    let mut records: Vec<Record> = all.iter().filter(of_this).cloned().collect();
    records.sort_by_key(|record| record.number("position"));
    let ids = records.iter().map(Record::id).collect();
    Job::new(ids, move || sequence::<S>(&records))
}

/// Several calls on one connection: sequence numbers and generated ids rise.
fn sequence<S: Subject>(records: &[Record]) -> Vec<Verdict> {
    let (server, client) = match connected::<S>() {
        Ok(connected) => connected,
        Err(why) => return vec![Err(why); records.len()],
    };
    let mut last = Last::default();
    let one = |record: &Record| {
        let args = Args(record.args()?.unwrap_or_else(|| Value::map([])));
        let outcome = match record.text("sdk_method")? {
            "login" => client
                .log_in()
                .map_or_else(|error| error.to_string(), |()| "ok".into()),
            method => match methods::call(method, &client, &args)? {
                Ok(value) => value.to_string(),
                Err(error) => error.to_string(),
            },
        };
        let arrived = nth(&server, 0).map_err(|why| format!("{why}; {outcome}"))?;
        judge(record, &arrived, &args)?;
        last.rises(&arrived.package)
    };
    records.iter().map(one).collect()
}

fn connected<S: Subject>() -> Result<(Server, S), String> {
    let server = Server::start(false, responder(None, Arc::default()));
    let server = server.map_err(|error| format!("no server: {error}"))?;
    let gate = builder::<S>().gate(format!("ws://{}", server.authority()));
    let client = S::build(gate).map_err(|error| format!("build: {error}"))?;
    Ok((server, client))
}

/// The highest numbers of a connection so far.
#[derive(Default)]
struct Last {
    seq: Option<u32>,
    mid: Option<i128>,
}

impl Last {
    fn rises(&mut self, package: &Package) -> Verdict {
        if package.seq <= self.seq {
            return Err(format!("seq {:?} after {:?}", package.seq, self.seq));
        }
        self.seq = package.seq;
        if let Some(mid) = package.payload.get("mid").and_then(Value::as_int) {
            if Some(mid) <= self.mid {
                return Err(format!("mid {mid} after {:?}", self.mid));
            }
            self.mid = Some(mid);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_count_and_an_absent_extension_is_like_an_empty_one() {
        let attrs = |text: &str| Some(Value::from(text));
        let wanted = attrs(r#"{"sign":"AB","ext":null}"#);
        for same in [r#"{"ext":"","sign":"AB"}"#, r#"{"sign":"AB"}"#] {
            assert_eq!(file_attrs(wanted.as_ref(), attrs(same).as_ref()), Ok(()));
        }
        for other in [r#"{"sign":"ab"}"#, r#"{"sign":"AB","ext":"png"}"#, "sign"] {
            assert!(file_attrs(wanted.as_ref(), attrs(other).as_ref()).is_err());
        }
        assert!(file_attrs(wanted.as_ref(), None).is_err());
    }

    #[test]
    fn numbers_of_a_connection_must_rise() {
        let package = |seq: u32, mid: i64| Package {
            payload: Value::map([("mid", mid.into())]),
            ..Package::read(crate::package::quest(seq, "sendmsg", &packed([]))).unwrap()
        };
        let mut last = Last::default();
        assert_eq!(last.rises(&package(1, 5)), Ok(()));
        assert_eq!(last.rises(&package(2, 6)), Ok(()));
        assert!(last.rises(&package(2, 7)).is_err());
        assert!(last.rises(&package(3, 6)).is_err());
    }
}
