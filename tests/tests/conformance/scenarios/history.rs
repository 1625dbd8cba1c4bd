//! The history of a conversation, asked for page by page.

use std::time::Duration;

use rtm_gate::{Effect, Times};
use rtm_proto::GroupId;
use rtm_proto::api::{HistoryQuery, MessageApi};

use crate::adapters::Adapter;
use crate::stage::{Stage, Tester, Transport};

const COUNT: usize = 45;

fn texts(n: impl Iterator<Item = usize>) -> Vec<String> {
    n.map(|n| format!("message {n}")).collect()
}

/// A client whose group has a history.
fn with_messages<A: Adapter>(stage: &Stage<A>) -> (Tester<A>, i64) {
    let client = stage.login(0);
    let group = stage.gate.group();
    for text in texts(0..COUNT) {
        client.send_group_chat(group, text).unwrap();
    }
    (client, group)
}

pub(crate) fn all_of_a_conversation_is_read_in_both_directions<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let (client, group) = with_messages(&stage);
    let read = |query: HistoryQuery| {
        let records = stage.history(&client, query).into_iter();
        let bodies = records.map(|record| record.unwrap().body);
        let texts = bodies.map(|body| body.as_text().unwrap().to_owned());
        texts.collect::<Vec<_>>()
    };
    let all = HistoryQuery::chat(GroupId(group));
    assert_eq!(read(all.clone().oldest_first()), texts(0..COUNT));
    assert_eq!(read(all.clone().newest_first()), texts((0..COUNT).rev()));
    let last = texts((COUNT - 13..COUNT).rev());
    assert_eq!(read(all.newest_first().limit(13)), last);
}

/// Nothing is lost and nothing comes twice.
pub(crate) fn a_page_that_failed_is_asked_for_again<A: Adapter>(transport: Transport) {
    let stage = Stage::<A>::new(transport);
    let (client, group) = with_messages(&stage);
    let faults = stage.gate.faults();
    // The first page comes, though late.
    let late = Effect::Delay(Duration::from_millis(1));
    faults.on("getgroupmsg", late, Times::N(1));
    faults.on("getgroupmsg", Effect::Error(200_010), Times::N(2));
    let query = HistoryQuery::chat(GroupId(group)).oldest_first();
    let (good, bad): (Vec<_>, Vec<_>) = stage
        .history(&client, query)
        .into_iter()
        .partition(Result::is_ok);
    assert_eq!(bad.len(), 2);
    let bodies = good.into_iter().map(|record| record.unwrap().body);
    let got: Vec<_> = bodies
        .map(|body| body.as_text().unwrap().to_owned())
        .collect();
    assert_eq!(got, texts(0..COUNT));
}
