//! The client under test, and the limits it is held to.

use std::time::Duration;

use rtm_proto::{Backoff, Config, Instant, UserId};

use crate::source::Source;

pub(super) const START: Instant = Instant::from_duration(Duration::from_secs(1000));
pub(super) const UNIX: Duration = Duration::from_millis(1_591_322_544_000);
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(20);
pub(super) const FILE_LIMIT: Duration = Duration::from_secs(120);
pub(super) const MAX_UNSENT: usize = 3000;
pub(super) const MAX_PACKAGE: usize = 2500;

/// Unsent pongs, which are not limited before.
const MAX_PONGS: usize = 64 * 1024;
/// What may be unsent: calls and answers, each with a package beyond the limit,
/// a file, what login and restoring need, and pongs.
const MOST_UNSENT: usize = 2 * (MAX_UNSENT + MAX_PACKAGE) + 10_000 + MAX_PONGS;
/// What a queue may hold: as much again for what was withdrawn, or 64 KiB;
/// twice that because it doubles to grow; 64 KiB taken ahead.
pub(super) const MOST_HELD: usize = 4 * MOST_UNSENT + 3 * 64 * 1024;

/// How long a message is remembered to drop its repetitions.
pub(super) fn duplicate_lifetime(switches: u8) -> Duration {
    Duration::from_secs(u64::from(switches & 16))
}

/// The settings by a byte of switches and one of pauses.
pub(super) fn config(switches: u8, source: &mut Source<'_>) -> Config {
    let pauses = source.byte();
    let mut config = Config::new(7, UserId(1), "the token")
        .ssl(false)
        .auto_reconnect(switches & 3 != 3)
        .provide_tokens(switches & 4 != 0)
        .restore_rooms(switches & 8 == 0)
        .request_timeout(CALL_LIMIT)
        .file_timeout(FILE_LIMIT)
        .max_waiting(3)
        .max_unsent(MAX_UNSENT)
        .max_package(MAX_PACKAGE)
        .duplicate_lifetime(duplicate_lifetime(switches))
        .backoff(match pauses & 3 {
            0 => Backoff::default(),
            1 => Backoff::fixed(Duration::from_millis((pauses >> 2).into())),
            _ => Backoff::default().max_attempts((pauses >> 2).into()),
        });
    if switches & 32 == 0 {
        let gate = if switches & 64 == 0 {
            "tcp://gate:1"
        } else {
            "ws://gate:1"
        };
        config = config.gate(gate.parse().expect("an endpoint"));
    }
    if switches & 128 != 0 {
        config = config.dispatch("tcp://dispatch:1".parse().expect("an endpoint"));
    }
    config
}
