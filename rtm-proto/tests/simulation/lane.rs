//! One direction of a connection.

use std::time::Duration;

use bytes::Bytes;
use rtm_proto::Instant;

/// A slow lane carries so many bytes in each of these.
const TICK: Duration = Duration::from_millis(10);

pub(crate) struct Lane {
    /// When the last bytes of this direction arrive: later ones come later.
    pub(crate) busy_until: Instant,
    /// The connection is cut after that many more bytes.
    pub(crate) cut_after: Option<usize>,
    /// Bytes vanish, and nobody is told.
    pub(crate) is_deaf: bool,
    /// Bytes that pass in a tick, if that is limited.
    pub(crate) rate: Option<usize>,
    tick: Instant,
    left_of_tick: usize,
}

impl Lane {
    pub(crate) fn new() -> Self {
        Lane {
            busy_until: Instant::ZERO,
            cut_after: None,
            is_deaf: false,
            rate: None,
            tick: Instant::ZERO,
            left_of_tick: 0,
        }
    }

    /// How much of `len` bytes passes, and whether the lane ends there.
    pub(crate) fn admit(&mut self, len: usize) -> (usize, bool) {
        match &mut self.cut_after {
            Some(left) if *left <= len => (*left, true),
            Some(left) => {
                *left -= len;
                (len, false)
            }
            None => (len, false),
        }
    }

    /// When which part of `bytes` arrives: at `at`, or when those before them
    /// and the rate allow it, and in pieces no larger than `piece`.
    pub(crate) fn carry(
        &mut self,
        at: Instant,
        mut bytes: Bytes,
        piece: usize,
    ) -> Vec<(Instant, Bytes)> {
        let mut arrivals = Vec::new();
        let mut at = at.max(self.busy_until);
        while !bytes.is_empty() {
            let mut size = piece.min(bytes.len());
            if let Some(rate) = self.rate {
                at = at.max(self.next_slot(at, rate));
                size = size.min(self.left_of_tick);
                self.left_of_tick -= size;
            }
            arrivals.push((at, bytes.split_to(size)));
            self.busy_until = at;
            at = at + Duration::from_micros(100);
        }
        arrivals
    }

    /// When the lane has room again, from `at` on.
    fn next_slot(&mut self, at: Instant, rate: usize) -> Instant {
        if at >= self.tick + TICK {
            (self.tick, self.left_of_tick) = (at, rate);
        } else if self.left_of_tick == 0 {
            (self.tick, self.left_of_tick) = (self.tick + TICK, rate);
        }
        self.tick
    }
}

#[test]
fn a_slow_lane_carries_everything_in_order_and_no_faster_than_it_may() {
    let mut lane = Lane::new();
    lane.rate = Some(8);
    let start = Instant::from_duration(Duration::from_secs(1));
    let arrivals: Vec<(Instant, Bytes)> = [50, 3, 47]
        .into_iter()
        .flat_map(|len| lane.carry(start, Bytes::from(vec![len; len.into()]), 5))
        .collect();
    let carried: Vec<u8> = arrivals
        .iter()
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    assert_eq!(carried, [vec![50; 50], vec![3; 3], vec![47; 47]].concat());
    assert!(arrivals.is_sorted_by_key(|(at, _)| *at));
    for tick in 0..13 {
        let at = start + TICK * tick;
        let within = arrivals
            .iter()
            .filter(|(of, _)| (at..at + TICK).contains(of));
        let bytes: usize = within.map(|(_, bytes)| bytes.len()).sum();
        assert_eq!(bytes, if tick < 12 { 8 } else { 4 }, "in tick {tick}");
    }
}
