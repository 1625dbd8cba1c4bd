//! The WebSocket layer: any chunks of what a server sends give the same, and
//! what is owed to a server that does not read is bounded.

use std::collections::VecDeque;

use bytes::Bytes;
use rtm_proto::transport::{
    Scheme, Target, Transport, TransportError, TransportLimits, TransportState,
};

use crate::source::{Source, chunked, cut};
use crate::wire;

/// Everything that can be seen of a transport after a stream.
#[derive(Debug, PartialEq)]
struct Seen {
    received: Vec<u8>,
    failure: Option<TransportError>,
    state: TransportState,
    /// Length of what was to go out; the bytes are masked at random.
    answered: u64,
    /// How much of that is still to go.
    unsent: usize,
    end: Result<(), TransportError>,
}

/// What is done to a transport besides receiving.
#[derive(Clone, Copy)]
struct Plan<'a> {
    headers: &'a str,
    /// Where one byte of the response is changed, counted from its end, and to
    /// what; not in the key, which is another one for each transport.
    damage: Option<(usize, u8)>,
    closes: bool,
}

/// A stream that comes again and again ends where it is longer than this.
const MAX_STREAM: usize = 300_000;
/// Every ping has its pong while no more than this is unsent.
const EVERY_PONG: usize = 64 * 1024;
/// One more pong, the package, the close frame, and their heads.
const SLACK: usize = 500;

/// Input: a byte of switches, headers, the sizes of chunks, then what follows
/// the response.
///
/// # Panics
///
/// If chunks make a difference, or more comes out or is held than may.
pub fn run(data: &[u8]) {
    let mut source = Source::new(data);
    let switches = source.byte();
    let headers = match switches & 1 {
        0 => String::new(),
        _ => source.text(),
    };
    let plan = Plan {
        headers: &headers,
        damage: (switches & 2 != 0).then(|| (source.below(40), source.byte())),
        closes: switches & 4 != 0,
    };
    let times = match switches & 8 {
        0 => 1,
        _ => 4 * usize::from(source.byte()),
    };
    let (sizes, stream) = chunked(&mut source);
    let most = MAX_STREAM / stream.len().max(1);
    let stream = &stream.repeat(times.min(most).max(1))[..];
    let whole = play(plan, stream, &[]);
    let pieces = play(plan, stream, &sizes);
    assert_eq!(whole, pieces, "chunks make a difference");
    assert!(
        whole.unsent <= EVERY_PONG + SLACK,
        "{} bytes wait",
        whole.unsent
    );
    // Each length that the server forgets is two bytes.
    assert!(whole.received.len() <= stream.len());
}

fn play(plan: Plan<'_>, stream: &[u8], sizes: &[usize]) -> Seen {
    let target = Target::new(Scheme::Ws, "gate", 1);
    let limits = TransportLimits::default().with_max_package(3000);
    let mut transport = Transport::new(&target, None, limits).expect("a host");
    let request = transport.transmit().expect("a request");
    let mut sent = wire::accept(&request, plan.headers);
    if let Some((from_end, byte)) = plan.damage {
        let at = sent.len() - 1 - from_end;
        sent[at] = byte;
    }
    if plan.closes {
        transport.close();
    }
    let package = b"FPNN: a package";
    let queued = transport.send(package.len(), |out| out.extend_from_slice(package));
    assert_eq!(queued.is_ok(), !plan.closes);
    sent.extend_from_slice(stream);
    receive(&mut transport, &cut(&sent, sizes))
}

fn receive(transport: &mut Transport, chunks: &[&[u8]]) -> Seen {
    let mut received = VecDeque::new();
    let mut failure = None;
    for chunk in chunks {
        let result = transport.receive(Bytes::copy_from_slice(chunk), &mut received);
        if let Some(failure) = &failure {
            assert_eq!(result.as_ref(), Err(failure), "a failure does not stay");
        }
        failure = failure.or(result.err());
    }
    let (answered, unsent) = (transport.queued(), transport.unsent());
    let state = transport.state();
    while let Some(piece) = transport.transmit() {
        assert!(!piece.is_empty());
    }
    Seen {
        received: received.make_contiguous().concat(),
        failure: failure.map(without_size),
        state,
        answered,
        unsent,
        end: transport.receive_end().map_err(without_size),
    }
}

/// How much of a head that is too large has arrived when it is refused does
/// depend on chunks.
fn without_size(error: TransportError) -> TransportError {
    match error {
        TransportError::TooLarge { what, limit, .. } if what == "response head" => {
            TransportError::TooLarge {
                what,
                size: limit + 1,
                limit,
            }
        }
        error => error,
    }
}
