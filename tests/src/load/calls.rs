//! Calls as fast as the depth allows.

use std::sync::Arc;
use std::time::Instant;

use rtm_proto::api::Custom;
use rtm_proto::error::RequestError;
use serde_json::Value as Json;

use super::subject::Subject;
use super::tally::{Mark, Tally};
use super::{Options, Source};

/// Type of the messages that are sent: the first that is free for applications.
const MESSAGE_TYPE: u8 = 51;

/// What is called.
struct Quest {
    method: String,
    to: i64,
    text: String,
}

impl Quest {
    async fn carry_out<S: Subject>(&self, client: &S) -> Result<(), RequestError> {
        if self.method == "sendmsg" {
            let sent = client.send_message(self.to, MESSAGE_TYPE, self.text.as_str());
            return S::sent(sent).await;
        }
        let request = Custom::new(self.method.as_str()).field("v", self.text.as_str());
        S::answered(client.call(request)).await
    }
}

/// Each call in flight is a task that makes one call after the other: that
/// allocates nothing per call, a wake is a push to the run queue, and it is
/// what applications do. (Calls in a `FuturesUnordered` would cost a node of it
/// each.) With the blocking client each is a thread.
pub(super) async fn measure<S: Subject>(
    options: &Options,
    source: &Source<S>,
) -> Result<Json, String> {
    let client = source.client().await?;
    let quest = Arc::new(Quest {
        method: options.quest.clone(),
        to: options.to,
        text: "x".repeat(options.size),
    });
    let tally = Arc::new(Tally::default());
    let start = Mark::now();
    let until = start.at() + options.span;
    let callers: Vec<_> = (0..options.depth)
        .map(|_| {
            S::spawn(make_calls(
                client.clone(),
                quest.clone(),
                tally.clone(),
                until,
            ))
        })
        .collect();
    for caller in callers {
        caller
            .await
            .map_err(|error| format!("a caller failed: {error}"))?;
    }
    let figures = start.figures(&tally);
    client.log_out().await;
    Ok(figures)
}

/// One call after the other; each starts when the one before it ends, so one
/// look at the clock serves both.
async fn make_calls<S: Subject>(client: S, quest: Arc<Quest>, tally: Arc<Tally>, until: Instant) {
    let mut start = Instant::now();
    while start < until {
        let outcome = quest.carry_out(&client).await;
        let end = Instant::now();
        match outcome {
            Ok(()) => tally.answered(end - start),
            Err(error) => {
                tally.failed(error);
                // A call that fails at once must not keep the connection from
                // being driven.
                S::give_way().await;
            }
        }
        start = end;
    }
}
