//! Messages that come twice, against a model of what is remembered.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use rtm_proto::{Backoff, Client, ConnId, Instant};

use crate::peer::{START, config, delivered, message, ms, online, receive, reconnect};

/// How many messages are remembered.
const CAPACITY: usize = 65_536;

/// Id, sender, sort of conversation, target.
type Key = (i64, i64, usize, i64);

/// All that was delivered, ever.
struct Model {
    lifetime: Duration,
    delivered: Vec<Key>,
    /// Which of those was the last with a key, and when.
    last: BTreeMap<Key, (usize, Instant)>,
}

impl Model {
    fn new(lifetime: Duration) -> Self {
        Model {
            lifetime,
            delivered: Vec::new(),
            last: BTreeMap::new(),
        }
    }

    /// Whether a message is new: none of the last so many that were delivered,
    /// or one from too long ago. A repetition renews nothing.
    fn is_new(&mut self, now: Instant, key: Key) -> bool {
        let (mid, from, sort, target) = key;
        if mid == 0 {
            return true;
        }
        // All users are one target.
        let key = (mid, from, sort, if sort == 3 { 0 } else { target });
        let is_known = self.last.get(&key).is_some_and(|(nth, at)| {
            nth + CAPACITY >= self.delivered.len() && now < *at + self.lifetime
        });
        if !is_known {
            self.last.insert(key, (self.delivered.len(), now));
            self.delivered.push(key);
        }
        !is_known
    }
}

/// A client, the model it is held against, and the time.
struct Run {
    client: Client,
    conn: ConnId,
    now: Instant,
    model: Model,
}

impl Run {
    fn new(lifetime: Duration) -> Self {
        let config = config()
            .max_ping_interval(None)
            .auto_reconnect(true)
            .backoff(Backoff::fixed(ms(1)))
            .duplicate_lifetime(lifetime);
        let (client, conn) = online(config);
        Run {
            client,
            conn,
            now: START,
            model: Model::new(lifetime),
        }
    }

    fn lose(&mut self) {
        (self.conn, self.now) = reconnect(&mut self.client, self.now, self.conn);
    }

    /// Pushes messages in one piece; gives how many come out, and how many
    /// should.
    fn push(&mut self, keys: &[Key]) -> (usize, usize) {
        let packages = keys
            .iter()
            .map(|(mid, from, sort, target)| message(*mid, *from, *sort, *target));
        let data = packages.collect::<Vec<_>>().concat().into();
        receive(&mut self.client, self.now, self.conn, data);
        while self.client.poll_transmit(self.conn).is_some() {}
        let new = keys.iter().filter(|key| self.model.is_new(self.now, **key));
        let new = new.count();
        (delivered(&mut self.client), new)
    }
}

/// What happens to a client that remembers as much as it can.
#[derive(Clone, Debug)]
enum Step {
    /// Messages that were never seen.
    Fresh(u16),
    /// One that is about to be forgotten, or just was: counted from a little
    /// before the oldest that is remembered.
    Old(u16),
    /// Any one.
    Any(prop::sample::Index),
    Pause(u64),
    Lose,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..100_u16).prop_map(Step::Fresh),
        8 => (0..200_u16).prop_map(Step::Old),
        2 => any::<prop::sample::Index>().prop_map(Step::Any),
        1 => (0..4000_u64).prop_map(Step::Pause),
        1 => Just(Step::Lose),
    ]
}

fn fresh(model: &Model, count: usize) -> Vec<Key> {
    let first = model.delivered.len() as i64 + 1;
    // Above all that were seen: those may have been delivered twice.
    (first..).take(count).map(|mid| (mid, 1, 1, 1)).collect()
}

proptest! {
    #[test]
    fn repetitions_are_dropped_for_exactly_their_lifetime_over_all_sessions(
        lifetime in 1..5000_u64,
        pushes in vec(
            ((0..1500_u64, prop::bool::weighted(0.2)), (0..3_i64, 1..3_i64, 0..4_usize, 1..3_i64)),
            1..80,
        ),
    ) {
        let mut run = Run::new(ms(lifetime));
        for ((pause, loses), key) in pushes {
            run.now = run.now + ms(pause);
            if loses {
                run.lose();
            }
            let (out, new) = run.push(&[key]);
            prop_assert_eq!(out, new);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_last_65536_messages_are_remembered_and_no_more_over_all_sessions(
        short_of_full in 0..100_usize,
        lifetime in prop_oneof![3 => Just(1_200_000_u64), 1 => 1..20_000_u64],
        steps in vec(step(), 60..200),
    ) {
        let mut run = Run::new(ms(lifetime));
        let keys = fresh(&run.model, CAPACITY - short_of_full);
        for some in keys.chunks(10_000) {
            let (out, new) = run.push(some);
            prop_assert_eq!((out, new), (some.len(), some.len()));
            run.now = run.now + ms(500);
        }
        for step in steps {
            let all = &run.model.delivered;
            let keys = match step {
                Step::Fresh(count) => fresh(&run.model, count.into()),
                Step::Old(nth) => {
                    let oldest = all.len().saturating_sub(CAPACITY + 100);
                    vec![all[oldest + usize::from(nth)]]
                }
                Step::Any(any) => vec![*any.get(all)],
                Step::Pause(pause) => {
                    run.now = run.now + ms(pause);
                    continue;
                }
                Step::Lose => {
                    run.lose();
                    continue;
                }
            };
            let (out, new) = run.push(&keys);
            prop_assert_eq!(out, new);
        }
    }
}
