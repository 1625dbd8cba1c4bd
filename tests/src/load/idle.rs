//! Clients that do nothing.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value as Json, json};

use super::subject::Subject;
use super::{Options, Source, ratio, rounded, usage};

/// Logins under way at a time.
const LOGINS: usize = 64;

/// Opens the clients, lets them be for the time of the measurement twice, and
/// looks at what they cost in the second.
pub(super) async fn measure<S: Subject>(
    options: &Options,
    source: &Source<S>,
    count: u32,
) -> Result<Json, String> {
    // What only the first client costs belongs to none of those that follow.
    let first = source.client().await?;
    let before = usage::resident_kib()?;
    let logins = stream::iter(0..count).map(|_| source.client());
    let clients: Vec<S> = logins.buffer_unordered(LOGINS).try_collect().await?;
    let after = usage::resident_kib()?;

    // A login leaves timers behind that soon run out, once.
    S::sleep(options.span).await;
    let cpu_before = usage::cpu_time();
    S::sleep(options.span).await;
    let cpu = (usage::cpu_time() - cpu_before).as_secs_f64();

    let gone = clients.iter().filter(|client| !client.is_online());
    let errors = gone.count();
    for client in clients.iter().chain([&first]) {
        client.destroy();
    }
    let grown = after.saturating_sub(before) as f64;
    Ok(json!({
        "rss_kib_per_connection": rounded(ratio(grown, count.into()), 2),
        "cpu_ms_per_s": rounded(cpu * 1e3 / options.span.as_secs_f64(), 3),
        "errors": errors,
    }))
}
