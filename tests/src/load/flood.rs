//! Pushes at full speed for a consumer that is far too slow.

use std::time::{Duration, Instant};

use rtm_proto::Event;
use rtm_proto::api::Custom;
use serde_json::{Value as Json, json};

use super::subject::Subject;
use super::tally::Tally;
use super::{Options, Source, rounded, usage};

/// Pushes that are asked for at once.
const BATCH: u64 = 1_000_000;
/// More are asked for while fewer than this are still to come: more than wait
/// in the client, so that the flood never ebbs.
const AHEAD: i64 = 50_000;
/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Looks at the memory are this many calls apart.
const CALLS_PER_LOOK: u64 = 1000;

/// What became of the pushes.
#[derive(Default)]
struct Account {
    asked: u64,
    got: u64,
    missed: u64,
}

impl Account {
    /// Pushes whose fate is not known; below zero, some were counted twice.
    fn open(&self) -> i64 {
        self.asked as i64 - (self.got + self.missed) as i64
    }
}

/// Reads one event for each call that was answered, until the time is up and
/// every push was read or reported as missed.
pub(super) async fn measure<S: Subject>(
    options: &Options,
    source: &Source<S>,
) -> Result<Json, String> {
    let client = source.client().await?;
    let mut events = client.reader();
    let (tally, mut account) = (Tally::default(), Account::default());
    let before = usage::resident_kib()?;
    let mut most = before;
    let until = Instant::now() + options.span;
    for call in 0.. {
        if account.open() < AHEAD && Instant::now() < until {
            ask(&client, options).await?;
            account.asked += BATCH;
        }
        if account.open() <= 0 {
            break;
        }
        let start = Instant::now();
        match S::answered(client.call(Custom::new("t_echo").field("v", call))).await {
            Ok(()) => tally.answered(start.elapsed()),
            Err(error) => tally.failed(error),
        }
        match S::next(&mut events, PATIENCE).await {
            Some(Event::Message(_)) => account.got += 1,
            Some(Event::Lagged { missed }) => account.missed += missed,
            Some(_) => {}
            None => break,
        }
        if call % CALLS_PER_LOOK == 0 {
            most = most.max(usage::resident_kib()?);
        }
    }
    client.log_out().await;
    Ok(json!({
        "pushes": account.asked,
        "read": account.got,
        "missed": account.missed,
        "unaccounted": account.open(),
        "calls": tally.calls(),
        "p50_us": rounded(tally.quantile_us(0.5), 1),
        "p99_us": rounded(tally.quantile_us(0.99), 1),
        "rss_kib_before": before,
        "rss_kib_most": most.max(usage::resident_kib()?),
        "errors": tally.errors(),
    }))
}

async fn ask<S: Subject>(client: &S, options: &Options) -> Result<(), String> {
    let request = Custom::new("t_push")
        .field("n", BATCH)
        .field("len", options.size as u64);
    let asked = S::answered(client.call(request)).await;
    asked.map_err(|error| error.to_string())
}
