//! Reads through a known defect of the server's WebSocket frames.
//!
//! The C++ server writes the short form of the length for payloads of up to 126 bytes (`highras/fpnn
//! core/IOBuffer.cpp`, condition `dataSize <= 126`), where RFC 6455 ends it at 125. A package of
//! exactly 126 bytes thus arrives as `82 7e` and its data, with no length: a correct reader takes the
//! first data bytes, the magic `FP`, for a length of 18 000 and waits for ever. `82 7e` followed by
//! the whole magic `FPNN` is the defect; a genuine package of 18 000 bytes goes on `FPFP`, because its
//! magic follows its length.
//!
//! Two cases cannot be told: a genuine frame of 18 000 bytes whose payload begins with `NN`, which
//! no package does, and a payload of 126 bytes that does not begin with the magic.

/// A binary, final, unmasked frame.
const BINARY: u8 = 0x82;
/// The announcement of a length of two bytes.
const TWO_BYTES: u8 = 0x7e;
/// The length that the server forgets, and the magic behind it.
const LENGTH_AND_MAGIC: &[u8; 6] = b"\x00\x7eFPNN";
const MAGIC: &[u8] = b"FPNN";
/// What the first two bytes of the magic are when they are a length.
const MAGIC_AS_LENGTH: u64 = 0x4650;

/// Where in a frame the stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    /// Behind the first byte, which was this.
    Second(u8),
    /// In the extended length: the bytes missing and the value so far.
    Length {
        missing: u8,
        value: u64,
    },
    /// In the payload; bytes up to the next frame.
    Payload(u64),
    /// Behind `82 7e`, with so many bytes of the magic seen and withheld.
    Undecided {
        withheld: usize,
    },
}

/// A filter that puts the missing length into a stream of WebSocket frames.
///
/// It follows the frame boundaries, so that payloads may contain anything, and works on chunks cut
/// anywhere. It stores nothing: what it withholds at the end of a chunk (three bytes at most) is known.
///
/// ```
/// use rtm_proto::transport::repair::Repair;
///
/// let mut repair = Repair::default();
/// let mut chunk: &[u8] = b"\x81\x02hi\x82\x7eFPNN";
/// let mut repaired = Vec::new();
/// while let Some(piece) = repair.next(&mut chunk) {
///     repaired.extend_from_slice(piece);
/// }
/// assert_eq!(repaired, b"\x81\x02hi\x82\x7e\x00\x7eFPNN");
/// ```
#[derive(Clone, Debug)]
pub struct Repair {
    at: At,
    /// A message began whose last fragment has not ended.
    fragmented: bool,
}

impl Default for Repair {
    fn default() -> Self {
        Self {
            at: At::Start,
            fragmented: false,
        }
    }
}

impl Repair {
    /// The next piece of the repaired stream, taken from the front of `chunk`; none when the chunk is
    /// used up. A chunk without the defect is one piece, unless bytes were withheld before it.
    pub fn next<'a>(&mut self, chunk: &mut &'a [u8]) -> Option<&'a [u8]> {
        if let At::Undecided { withheld } = self.at {
            if let Some(piece) = self.decide(withheld, chunk) {
                return Some(piece);
            }
        }
        let len = self.follow(chunk);
        let (piece, rest) = chunk.split_at_checked(len)?;
        *chunk = rest;
        (!piece.is_empty()).then_some(piece)
    }

    /// True where one message has ended and no byte of the next has come.
    #[must_use]
    pub fn between_messages(&self) -> bool {
        self.at == At::Start && !self.fragmented
    }

    /// Tells defect and length apart, as far as `chunk` goes. Returns what must be put in front of it.
    fn decide(&mut self, withheld: usize, chunk: &mut &[u8]) -> Option<&'static [u8]> {
        let expected = MAGIC.get(withheld..).unwrap_or_default();
        let common = common_prefix(chunk, expected);
        if common == expected.len() {
            self.at = At::Payload(126 - withheld as u64);
            return LENGTH_AND_MAGIC.get(..2 + withheld);
        }
        if common == chunk.len() {
            *chunk = &[];
            self.at = At::Undecided {
                withheld: withheld + common,
            };
            return None;
        }
        self.at = match withheld {
            0 => At::Length {
                missing: 2,
                value: 0,
            },
            1 => At::Length {
                missing: 1,
                value: MAGIC_AS_LENGTH >> 8,
            },
            _ => At::Payload(MAGIC_AS_LENGTH - (withheld as u64 - 2)),
        };
        LENGTH_AND_MAGIC
            .get(2..2 + withheld)
            .filter(|piece| !piece.is_empty())
    }

    /// Follows frames through `chunk`. Returns how many bytes pass as they are; it stops before the
    /// end only behind an `82 7e` that is the defect or may be.
    fn follow(&mut self, chunk: &[u8]) -> usize {
        let mut pos = 0;
        while let Some(&byte) = chunk.get(pos) {
            match self.at {
                At::Payload(left) => {
                    let here = (chunk.len() - pos) as u64;
                    let passed = left.min(here);
                    self.at = payload(left - passed);
                    pos += passed as usize;
                    continue;
                }
                At::Start => self.at = At::Second(byte),
                At::Second(first) => {
                    self.begin_message(first);
                    self.at = second_byte(byte);
                    if (first, byte) == (BINARY, TWO_BYTES) && may_be_defect(chunk, pos + 1) {
                        self.at = At::Undecided { withheld: 0 };
                    }
                }
                At::Length { missing, value } => {
                    let value = (value << 8) | u64::from(byte);
                    self.at = if missing > 1 {
                        At::Length {
                            missing: missing - 1,
                            value,
                        }
                    } else {
                        payload(value)
                    };
                }
                At::Undecided { .. } => return pos,
            }
            pos += 1;
        }
        pos
    }

    /// Notes whether the frame that begins with `first` leaves its message open. Control frames come
    /// between fragments and belong to no message.
    fn begin_message(&mut self, first: u8) {
        let is_control = first & 0x08 != 0;
        if !is_control {
            self.fragmented = first & 0x80 == 0;
        }
    }
}

/// A mask is not followed: a server that sends one has broken the protocol, and the reader says so.
fn second_byte(byte: u8) -> At {
    match byte & 0x7f {
        126 => At::Length {
            missing: 2,
            value: 0,
        },
        127 => At::Length {
            missing: 8,
            value: 0,
        },
        len => payload(u64::from(len)),
    }
}

fn payload(left: u64) -> At {
    if left == 0 {
        At::Start
    } else {
        At::Payload(left)
    }
}

fn may_be_defect(chunk: &[u8], pos: usize) -> bool {
    let rest = chunk.get(pos..).unwrap_or_default();
    let common = common_prefix(rest, MAGIC);
    common == MAGIC.len() || common == rest.len()
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}
