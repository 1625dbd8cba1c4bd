//! Chunks, ids and pauses against what the rules say.

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use rtm_proto::api::SendMessage;
use rtm_proto::{Backoff, Client, Input, Instant, RequestOptions, State, UserId};

use crate::peer::{START, UNIX, config, dialed, message, ms, online, outputs, receive};

proptest! {
    #[test]
    fn chunks_of_what_a_gate_sends_change_nothing(
        mids in vec(0..5_i64, 1..20), sizes in vec(1..50_usize, 1..20),
    ) {
        let play = |sizes: &[usize]| {
            let (mut client, conn) = online(config());
            let packages = mids.iter().map(|mid| message(*mid, *mid % 2, 0, 1));
            let mut rest = Bytes::from(packages.collect::<Vec<_>>().concat());
            let mut sizes = sizes.iter().cycle();
            while !rest.is_empty() {
                let size = rest.len().min(*sizes.next().unwrap());
                receive(&mut client, START, conn, rest.split_to(size));
            }
            let told: Vec<String> = outputs(&mut client).iter().map(|o| format!("{o:?}")).collect();
            let mut answers = Vec::new();
            while let Some(bytes) = client.poll_transmit(conn) {
                answers.extend_from_slice(&bytes);
            }
            (told, answers)
        };
        prop_assert_eq!(play(&sizes), play(&[usize::MAX]));
    }

    #[test]
    fn message_ids_rise_strictly_under_any_clock(
        unix in any::<u64>(), times in vec(any::<u64>(), 1..40), burst in 1..200_usize,
    ) {
        let gate = config().max_unsent(usize::MAX);
        let mut client = Client::new(gate, 3, START, Duration::from_millis(unix));
        let mut last = 0;
        for time in times {
            let now = Instant::from_duration(Duration::from_nanos(time));
            for _ in 0..burst {
                // Nobody is logged in: the error tells the id all the same.
                let request = SendMessage::chat(UserId(1), "x");
                let error = client.request(now, &request, RequestOptions::default()).unwrap_err();
                let id = error.message_id().unwrap().0;
                prop_assert!(id > last, "{} after {}", id, last);
                last = id;
            }
        }
    }

    #[test]
    fn pauses_stay_within_their_bounds(
        first in 1..5000_u64, most in 1..60_000_u64, seed in any::<u64>(), failures in 1..12_u32,
    ) {
        let backoff = Backoff::exponential(ms(first), ms(most));
        let config = config().auto_reconnect(true).backoff(backoff);
        let mut client = Client::new(config, seed, START, UNIX);
        let mut now = START;
        client.login(now);
        for failed in 1..=failures {
            let conn = dialed(&outputs(&mut client));
            let reason = "refused".into();
            client.handle_input(now, Input::ConnectFailed { conn, reason });
            let State::Backoff { retry_at, attempt, .. } = *client.state() else {
                panic!("{}", client.state());
            };
            prop_assert_eq!(attempt, failed);
            let ceiling = first.saturating_mul(1 << failed).min(most);
            prop_assert!(retry_at >= now && retry_at - now <= ms(ceiling));
            now = retry_at;
            client.handle_input(now, Input::Tick);
        }
    }
}
