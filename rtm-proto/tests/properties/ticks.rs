//! When a client is told the time changes nothing, or only when things happen.

use proptest::collection::vec;
use proptest::prelude::*;
use rtm_proto::Instant;

use crate::peer::{START, config, ms};
use crate::story::{Step, Story, Ticks, step, story};

fn times(most: usize) -> impl Strategy<Value = Vec<Instant>> {
    let times = vec(0..100_000_u64, 0..most);
    times.prop_map(|times| times.iter().map(|at| START + ms(*at)).collect())
}

/// Without the times at which the client said it.
fn outcomes(story: Story) -> (Vec<String>, Vec<String>) {
    let told = story.told.into_iter().map(|(_, what)| what);
    (told.collect(), story.calls)
}

proptest! {
    #[test]
    fn ticks_that_nobody_asked_for_change_nothing(
        steps in vec((0..4000_u64, step()), 1..25), extra in times(60),
    ) {
        let only_deadlines = story(config(), &steps, Ticks::InTime(Vec::new()));
        prop_assert!(only_deadlines.told.iter().any(|(_, what)| what.contains("Online")));
        prop_assert_eq!(story(config(), &steps, Ticks::InTime(extra)), only_deadlines);
    }

    /// Where nothing is repeated and nobody looks for silence: what these do
    /// next depends on when they are asked.
    #[test]
    fn late_ticks_in_a_session_change_neither_what_comes_out_nor_its_order(
        mut steps in vec((0..6000_u64, step()), 1..40), few in times(6),
    ) {
        for (_, step) in &mut steps {
            if let Step::Call { tries, .. } = step {
                *tries = 0;
            }
        }
        let config = || config().max_ping_interval(None);
        let in_time = story(config(), &steps, Ticks::InTime(Vec::new()));
        let late = story(config(), &steps, Ticks::Late(few));
        prop_assert_eq!(outcomes(late), outcomes(in_time));
    }

    /// The rest is checked while the story is played.
    #[test]
    fn however_late_ticks_are_calls_end_once_and_nothing_waits_beyond_its_deadline(
        steps in vec((0..6000_u64, step()), 1..40), few in times(12),
    ) {
        story(config(), &steps, Ticks::AlwaysLate(few));
    }
}
