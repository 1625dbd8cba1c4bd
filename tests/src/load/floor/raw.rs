//! The bare socket: packages made beforehand, answers of which only the heads
//! are read.

use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Quests;
use crate::load::Options;
use crate::load::tally::{Mark, Tally};
use crate::load::wire::{self, Next};

const BUFFER: usize = 64 << 10;

/// What is in flight, whatever moves the bytes.
struct Flight {
    /// The package that is sent again and again.
    call: Vec<u8>,
    /// When the call of each place left; its number is the place.
    started: Vec<Instant>,
    input: Vec<u8>,
    filled: usize,
    output: Vec<u8>,
    tally: Tally,
}

impl Flight {
    fn new(quests: &Quests) -> Self {
        Flight {
            call: quests.call(),
            started: Vec::new(),
            input: vec![0; BUFFER],
            filled: 0,
            output: quests.auth.clone(),
            tally: Tally::default(),
        }
    }

    /// Where to read to; answers are smaller than the buffer.
    fn free(&mut self) -> &mut [u8] {
        self.input.get_mut(self.filled..).unwrap_or_default()
    }

    fn begin(&mut self, depth: usize, now: Instant) {
        for place in 0..depth {
            self.started.push(now);
            self.send(place);
        }
    }

    fn send(&mut self, place: usize) {
        let at = self.output.len();
        self.output.extend_from_slice(&self.call);
        // At most a million are in flight.
        wire::set_seq(&mut self.output, at, place as u32);
    }

    /// Takes what was read: every answer is followed by the next call, as long
    /// as there is time.
    fn read(&mut self, len: usize, until: Instant) -> io::Result<()> {
        self.filled += len;
        let now = Instant::now();
        let mut used = 0;
        loop {
            match wire::next(self.input.get(used..self.filled).unwrap_or_default()) {
                Next::Incomplete => break,
                Next::Garbage => return Err(ErrorKind::InvalidData.into()),
                Next::Package(head) => {
                    used += head.len;
                    self.take(head, now, until);
                }
            }
        }
        self.input.copy_within(used..self.filled, 0);
        self.filled -= used;
        Ok(())
    }

    fn take(&mut self, head: wire::Head, now: Instant, until: Instant) {
        let place = head.seq as usize;
        let Some(started) = self.started.get_mut(place) else {
            return;
        };
        if head.kind != wire::ANSWER {
            return;
        }
        if head.small == 0 {
            self.tally.answered(now - *started);
        } else {
            self.tally.failed("the service refused a call");
        }
        if now < until {
            *started = now;
            self.send(place);
        }
    }
}

pub(super) fn on_tokio(options: &Options, address: &str, quests: &Quests) -> Result<Json, String> {
    let work = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut flight = Flight::new(quests);
        stream.write_all(&flight.output).await?;
        flight.output.clear();
        // The answer to `auth` is one package, and nothing follows it.
        filled(stream.read(flight.free()).await?)?;
        let start = Mark::now();
        let until = start.at() + options.span;
        flight.begin(options.depth, start.at());
        while !flight.output.is_empty() {
            stream.write_all(&flight.output).await?;
            flight.output.clear();
            // Answers may come in part.
            while flight.output.is_empty() && Instant::now() < until {
                let len = filled(stream.read(flight.free()).await?)?;
                flight.read(len, until)?;
            }
        }
        Ok(start.figures(&flight.tally))
    };
    let figures = super::current_thread()?.block_on(work);
    figures.map_err(|error: io::Error| error.to_string())
}

pub(super) fn on_a_thread(
    options: &Options,
    address: &str,
    quests: &Quests,
) -> Result<Json, String> {
    let work = || {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut flight = Flight::new(quests);
        stream.write_all(&flight.output)?;
        flight.output.clear();
        // The answer to `auth` is one package, and nothing follows it.
        filled(stream.read(flight.free())?)?;
        let start = Mark::now();
        let until = start.at() + options.span;
        flight.begin(options.depth, start.at());
        while !flight.output.is_empty() {
            stream.write_all(&flight.output)?;
            flight.output.clear();
            // Answers may come in part.
            while flight.output.is_empty() && Instant::now() < until {
                let len = filled(stream.read(flight.free())?)?;
                flight.read(len, until)?;
            }
        }
        Ok(start.figures(&flight.tally))
    };
    work().map_err(|error: io::Error| error.to_string())
}

fn filled(len: usize) -> io::Result<usize> {
    match len {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        len => Ok(len),
    }
}
