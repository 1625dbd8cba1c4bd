//! `push-frames.json`: what the server pushes, and what must come of it.

use std::time::Duration;

use super::events::{self, LAST_SEQ};
use super::record::{Record, Verdict};
use super::server::{Hold, PATIENCE, Server, Step, What};
use super::setup::{builder, refuse, welcome};
use super::subject::Subject;
use super::{Job, job};
use crate::package::{ANSWER, JSON, Package};
use crate::value::Value;

/// Pushes that a client knows.
const KNOWN: [&str; 7] = [
    "pushmsg",
    "pushgroupmsg",
    "pushroommsg",
    "pushbroadcastmsg",
    "ping",
    "kickout",
    "kickoutroom",
];

/// The records as jobs.
pub(super) fn jobs<S: Subject>(records: Vec<Record>) -> Vec<Job> {
    let one = |record: Record| job(record.id(), move || judge::<S>(&record));
    records.into_iter().map(one).collect()
}

fn judge<S: Subject>(record: &Record) -> Verdict {
    let closes = record.flag("expect_client_closes_connection");
    let (hold, go) = Hold::new();
    let mut script = vec![Step::Hold(hold)];
    script.extend(record.steps()?);
    let pauses: Duration = script.iter().map(pause).sum();
    if !closes {
        script.push(events::last_push());
    }
    let server = Server::start(false, move |_, package: &Package| {
        match package.method.as_str() {
            "auth" => [welcome(package), script.clone()].concat(),
            "" => Vec::new(),
            _ => refuse(package),
        }
    });
    let server = server.map_err(|error| format!("no server: {error}"))?;
    let gate = builder::<S>().gate(format!("ws://{}", server.authority()));
    let client = S::build(gate).map_err(|error| format!("build: {error}"))?;
    client.log_in().map_err(|error| error.to_string())?;
    go.on();

    let sent = answers(&server, PATIENCE + pauses)?;
    if closes != sent.closed {
        let what = if closes { "did not hang up" } else { "hung up" };
        return Err(format!("the client {what}"));
    }
    judge_answers(record, sent.answers)?;
    events::judge(&record.parts("expect_events"), &events::collect(&client)?)
}

fn pause(step: &Step) -> Duration {
    match step {
        Step::Wait(span) => *span,
        _ => Duration::ZERO,
    }
}

struct Sent {
    answers: Vec<Package>,
    closed: bool,
}

/// Everything the client sends until it has answered the last push or hung up.
fn answers(server: &Server, limit: Duration) -> Result<Sent, String> {
    let mut answers = Vec::new();
    loop {
        match server.next(limit)? {
            What::Closed => {
                let closed = true;
                return Ok(Sent { answers, closed });
            }
            What::Broken(why) => return Err(why),
            What::Package(arrived) if arrived.package.mtype != ANSWER => {}
            What::Package(arrived) if arrived.package.seq == Some(LAST_SEQ) => {
                let closed = false;
                return Ok(Sent { answers, closed });
            }
            What::Package(arrived) => answers.push(arrived.package),
        }
    }
}

fn judge_answers(record: &Record, mut found: Vec<Package>) -> Verdict {
    let pushes = Pushes::of(record);
    found.retain(|answer| !pushes.may_be_answered(answer));
    let wanted = record.parts("expect_answers");
    if wanted.len() != found.len() {
        return Err(format!(
            "{} answers instead of {}",
            found.len(),
            wanted.len()
        ));
    }
    for (want, answer) in wanted.iter().zip(&found) {
        if !pushes.refused_as_unknown(answer) {
            judge_answer(want, answer)?;
        }
    }
    Ok(())
}

fn judge_answer(wanted: &Record, answer: &Package) -> Verdict {
    let encoding = if answer.flag & JSON == 0 {
        "msgpack"
    } else {
        "json"
    };
    let payload = wanted.value("payload")?.unwrap_or(Value::Nil);
    let seq = answer.seq.map(u64::from);
    if seq != wanted.number("seq") {
        return Err(format!(
            "answered {seq:?} instead of {:?}",
            wanted.number("seq")
        ));
    }
    if wanted.number("status") != Some(answer.ss.into()) {
        return Err(format!("answered with status {}", answer.ss));
    }
    if wanted.opt_text("encoding") != Some(encoding) {
        return Err(format!("answered in {encoding}"));
    }
    if payload != answer.payload {
        return Err(format!("answered with {}", answer.payload));
    }
    Ok(())
}

/// Which push has which sequence number, as far as the record tells.
struct Pushes(Vec<(u64, String)>);

impl Pushes {
    fn of(record: &Record) -> Pushes {
        let frames = record.parts("server_sends");
        let frames = frames.iter().flat_map(|message| message.parts("frames"));
        let named = frames
            .filter_map(|frame| Some((frame.number("seq")?, frame.opt_text("method")?.to_owned())));
        Pushes(named.collect())
    }

    fn method(&self, answer: &Package) -> Option<&str> {
        let seq = answer.seq.map(u64::from);
        let found = self.0.iter().find(|(known, _)| Some(*known) == seq);
        found.map(|(_, method)| method.as_str())
    }

    /// An empty answer to a kickout is as good as none.
    fn may_be_answered(&self, answer: &Package) -> bool {
        let kick = matches!(self.method(answer), Some("kickout" | "kickoutroom"));
        kick && answer.ss == 0 && answer.payload.is_empty()
    }

    fn refused_as_unknown(&self, answer: &Package) -> bool {
        let unknown = self
            .method(answer)
            .is_some_and(|method| !KNOWN.contains(&method));
        unknown && answer.ss != 0 && answer.payload.get("code") == Some(&Value::Int(20_004))
    }
}
