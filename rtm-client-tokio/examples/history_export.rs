//! Writes the history of a group as JSON lines, the oldest message first.

use std::error::Error;
use std::io::Write;

use rtm_client_tokio::prelude::*;
use serde_json::json;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let gate = rtm_gate::Gate::start()?;
    let (me, group) = (&gate.users()[0], GroupId(gate.group()));
    let client = Client::builder(gate.project_id(), me.id, me.token.as_str())
        .dispatch(gate.dispatch().ws)
        .login()
        .await?;
    for n in 1..=25 {
        client
            .send_group_chat(group, format!("message {n}"))
            .await?;
    }

    let exported = export(&client, group, std::io::stdout().lock()).await?;
    println!("{exported} messages");
    client.logout().await;
    Ok(())
}

/// Writes every message of `group` to `out`; pages are fetched as needed.
async fn export(
    client: &Client,
    group: GroupId,
    mut out: impl Write,
) -> Result<usize, Box<dyn Error>> {
    let mut history = client.history(HistoryQuery::new(group).oldest_first());
    let mut count = 0;
    while let Some(record) = history.next().await {
        let record = record?;
        let body = match &record.body {
            Body::Text(text) => json!(text),
            Body::Binary(bytes) => json!(bytes.as_ref()),
        };
        let line = json!({
            "id": record.message_id.get(),
            "sender": record.sender.get(),
            "type": record.message_type.0,
            "time_ms": record.time_ms,
            "deleted": record.deleted,
            "body": body,
            "attrs": record.attrs,
        });
        writeln!(out, "{line}")?;
        count += 1;
    }
    Ok(count)
}
