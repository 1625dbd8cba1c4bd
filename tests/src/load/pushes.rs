//! Pushes as fast as the service sends them.

use std::time::{Duration, Instant};

use rtm_proto::Event;
use rtm_proto::api::Custom;
use serde_json::{Value as Json, json};

use super::subject::Subject;
use super::{Options, Source, ratio, rounded, usage};

/// No push is given up sooner, however short the measurement.
const SHORTEST_WAIT: Duration = Duration::from_secs(5);

/// What arrived.
struct Arrived {
    messages: u64,
    last: Instant,
}

/// Asks for the pushes and reads them, until all are there or none has come
/// for the time of the measurement.
pub(super) async fn measure<S: Subject>(
    options: &Options,
    source: &Source<S>,
    count: u32,
) -> Result<Json, String> {
    let client = source.client().await?;
    let request = Custom::new("t_push")
        .field("n", count)
        .field("len", options.size as u64);
    let cpu_before = usage::cpu_time();
    let start = Instant::now();
    let (asked, arrived) = futures::join!(
        S::answered(client.call(request)),
        read(&client, options, count.into())
    );
    let cpu = (usage::cpu_time() - cpu_before).as_secs_f64();
    let took = (arrived.last - start).as_secs_f64();
    if let Err(error) = &asked {
        eprintln!("load: {error}");
    }
    client.log_out().await;
    let messages = arrived.messages as f64;
    Ok(json!({
        "pushes_per_s": rounded(ratio(messages, took), 1),
        "cpu_us_per_push": rounded(ratio(cpu * 1e6, messages), 3),
        "lost": u64::from(count).saturating_sub(arrived.messages),
        "errors": u64::from(asked.is_err()),
    }))
}

async fn read<S: Subject>(client: &S, options: &Options, count: u64) -> Arrived {
    let mut events = client.reader();
    let mut arrived = Arrived {
        messages: 0,
        last: Instant::now(),
    };
    let mut missed = 0;
    while arrived.messages + missed < count {
        match S::next(&mut events, options.span.max(SHORTEST_WAIT)).await {
            Some(Event::Message(_)) => arrived.messages += 1,
            Some(Event::Lagged { missed: more }) => missed += more,
            Some(_) => continue,
            None => return arrived,
        }
        arrived.last = Instant::now();
    }
    arrived
}
