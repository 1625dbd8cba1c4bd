//! `answer-frames.json`: what the server answers, and what the call must report.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rtm_proto::error::{RequestError, RequestErrorKind};

use super::args::Args;
use super::compare;
use super::events;
use super::methods::{self, NOT_BUILT, Outcome};
use super::record::{Record, Verdict};
use super::server::{Hold, PATIENCE, Server, Step, What};
use super::setup::{builder, refuse, welcome};
use super::subject::Subject;
use super::{Job, job};
use crate::package::Package;
use crate::value::Value;

/// The records as jobs.
pub(super) fn jobs<S: Subject>(records: Vec<Record>) -> Vec<Job> {
    let all = Arc::new(records);
    let one = |record: &Record| {
        let (record, all) = (record.clone(), all.clone());
        job(record.id(), move || judge::<S>(&record, &all))
    };
    all.iter().map(one).collect()
}

fn judge<S: Subject>(record: &Record, all: &[Record]) -> Verdict {
    let method = record.text("sdk_method")?;
    if !methods::is_built(method) {
        return Err(NOT_BUILT.into());
    }
    let args = match record.args()? {
        Some(args) => args,
        None => args_of_first_ok(all, method)?,
    };
    let call = Call {
        method: method.to_owned(),
        args: Args(args),
        limit: record.millis("timeout_ms"),
    };
    match record.text("kind")? {
        "state" => state::<S>(record, &call),
        "order" => order::<S>(record, &call),
        _ => answered::<S>(record, &call),
    }
}

fn args_of_first_ok(all: &[Record], method: &str) -> Result<Value, String> {
    let same = |record: &&Record| {
        record.opt_text("kind") == Some("ok") && record.opt_text("sdk_method") == Some(method)
    };
    let first = all.iter().find(same);
    first
        .and_then(|record| record.args().transpose())
        .unwrap_or_else(|| Ok(Value::map([])))
}

/// The call of a record.
struct Call {
    method: String,
    args: Args,
    limit: Option<Duration>,
}

impl Call {
    /// Makes the call; gives what came of it and how long that took.
    fn make<S: Subject>(&self, client: &S) -> Result<(Outcome, Duration), String> {
        let client = match self.limit {
            Some(limit) => client.limited(limit),
            None => client.clone(),
        };
        let start = Instant::now();
        let outcome = methods::call(&self.method, &client, &self.args)?;
        Ok((outcome, start.elapsed()))
    }
}

/// A server that answers nothing but logins, and takes these steps after the
/// package with this number.
fn scripted(after: usize, script: Vec<Step>) -> Result<Server, String> {
    let server = Server::start(false, move |index, package: &Package| {
        let mut steps = match package.method.as_str() {
            "auth" => welcome(package),
            "bye" => refuse(package),
            _ => Vec::new(),
        };
        if index == after {
            steps.extend(script.clone());
        }
        steps
    });
    server.map_err(|error| format!("no server: {error}"))
}

fn build<S: Subject>(server: &Server) -> Result<S, String> {
    let gate = builder::<S>().gate(format!("ws://{}", server.authority()));
    S::build(gate).map_err(|error| format!("build: {error}"))
}

fn log_in<S: Subject>(server: &Server) -> Result<S, String> {
    let client = build::<S>(server)?;
    client.log_in().map_err(|error| error.to_string())?;
    Ok(client)
}

fn answered<S: Subject>(record: &Record, call: &Call) -> Verdict {
    let mut script = record.steps()?;
    let wanted_events = record.json("events").map(|_| record.parts("events"));
    if wanted_events.is_some() {
        script.push(events::last_push());
    }
    let server = scripted(1, script)?;
    let client = log_in::<S>(&server)?;
    let (outcome, took) = call.make(&client)?;
    let auth = server.next_package(PATIENCE)?;
    let quest = server.next_package(PATIENCE)?;
    let seq = quest.package.seq.map(u64::from);
    if seq != record.number("request_seq") {
        return Err(format!(
            "the call has seq {seq:?} after {:?}",
            auth.package.seq
        ));
    }
    expectation(
        &record.part("expect").ok_or("the record expects nothing")?,
        &outcome,
        took,
    )?;
    match wanted_events {
        Some(wanted) => events::judge(&wanted, &events::collect(&client)?),
        None => Ok(()),
    }
}

/// A call without a session, for one of three reasons that records tell in
/// words.
fn state<S: Subject>(record: &Record, call: &Call) -> Verdict {
    let description = record.text("description")?;
    let (hold, go) = Hold::new();
    let server = scripted(0, vec![Step::Hold(hold), Step::Close(1000)])?;
    let client = if description.contains("before any login") {
        build::<S>(&server)?
    } else if description.contains("server closed") {
        let client = log_in::<S>(&server)?;
        go.on();
        while !matches!(server.next(PATIENCE)?, What::Closed) {}
        client
    } else if description.contains("destroy") {
        let client = log_in::<S>(&server)?;
        client.destroy();
        client
    } else {
        return Err(format!("no such state is known: {description}"));
    };
    let (outcome, _) = call.make(&client)?;
    let expect = record.part("expect").ok_or("the record expects nothing")?;
    let error = outcome.err().ok_or("the call succeeded")?;
    if !["closed", "not_connected", "timeout"].contains(&kind_name(&error)) {
        return Err(format!("it failed otherwise: {error}"));
    }
    message_id(&expect, error.message_id().map(|id| id.get()))
}

/// Several calls outstanding at once: each must get its own answer.
fn order<S: Subject>(record: &Record, call: &Call) -> Verdict {
    let expect = record.part("expect").ok_or("the record expects nothing")?;
    let wanted = expect.parts("callbacks");
    let server = scripted(wanted.len(), record.steps()?)?;
    let client = log_in::<S>(&server)?;
    server.next_package(PATIENCE)?;
    thread::scope(|scope| {
        let mut calls = Vec::new();
        for want in &wanted {
            calls.push(scope.spawn(|| call.make(&client)));
            // Only then is it known which call has which number.
            let seq = server.next_package(PATIENCE)?.package.seq;
            if seq.map(u64::from) != want.number("request_seq") {
                return Err(format!("a call has seq {seq:?}"));
            }
        }
        for (want, call) in wanted.iter().zip(calls) {
            let (outcome, took) = call.join().map_err(|_| "a call panicked")??;
            expectation(want, &outcome, took)?;
        }
        Ok(())
    })
}

fn expectation(expect: &Record, outcome: &Outcome, took: Duration) -> Verdict {
    match (expect.text("result")?, outcome) {
        ("either", Err(_)) => Ok(()),
        ("ok" | "either", Ok(data)) => {
            let wanted = expect.value("data")?.unwrap_or_else(|| Value::map([]));
            compare::data(&wanted, data)
        }
        ("error", Err(error)) => {
            let wanted = expect.part("error").ok_or("the record names no error")?;
            judge_error(&wanted, error)?;
            message_id(expect, error.message_id().map(|id| id.get()))?;
            in_time(expect, took)
        }
        ("ok", Err(error)) => Err(format!("it failed: {error}")),
        ("error", Ok(data)) => Err(format!("it succeeded: {data}")),
        (other, _) => Err(format!("no such result is known: {other}")),
    }
}

fn judge_error(wanted: &Record, error: &RequestError) -> Verdict {
    let kind = wanted.text("kind")?;
    if kind_name(error) != kind {
        return Err(format!("error {error:?} instead of {kind}"));
    }
    let RequestErrorKind::Server { code, message, .. } = error.kind() else {
        return Ok(());
    };
    let told = |key: &str, found: &str| match wanted.opt_text(key) {
        Some(text) if text != found => Err(format!("{key} {found} instead of {text}")),
        _ => Ok(()),
    };
    told("code", &code.0.to_string())?;
    told("ex", message)
}

/// The name that the records have for a kind of error.
fn kind_name(error: &RequestError) -> &'static str {
    match error.kind() {
        RequestErrorKind::Server { .. } => "server",
        RequestErrorKind::TimedOut { .. } => "timeout",
        RequestErrorKind::ConnectionLost { .. } => "closed",
        RequestErrorKind::NotConnected => "not_connected",
        _ => "other",
    }
}

fn message_id(expect: &Record, found: Option<i64>) -> Verdict {
    match expect.value("mid")?.as_ref().map(Value::as_int) {
        Some(wanted) if wanted != found.map(i128::from) => {
            Err(format!("the error has message id {found:?}"))
        }
        _ => Ok(()),
    }
}

fn in_time(expect: &Record, took: Duration) -> Verdict {
    let Some(window) = expect.part("after_ms") else {
        return Ok(());
    };
    let bound = |key: &str| {
        window
            .millis(key)
            .ok_or_else(|| format!("after_ms has no {key}"))
    };
    if took < bound("min")? || took > bound("max")? {
        return Err(format!("it failed after {took:?}"));
    }
    Ok(())
}
