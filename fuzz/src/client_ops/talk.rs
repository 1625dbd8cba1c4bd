//! What is on its way from a service to the client.

use bytes::Bytes;
use rmpv::Value;
use rtm_proto::frame::{Decoder, Frame, Quest};

use super::pushes::Tag;
use super::settings::MAX_PACKAGE;
use crate::wire::answer;

/// Something of the service on its way to the client.
#[derive(Default)]
pub(super) struct Talk {
    pub(super) data: Vec<u8>,
    /// What is in the data.
    pub(super) packages: Vec<(Frame, Option<Tag>)>,
    /// The data is not what it was meant to be.
    pub(super) is_damaged: bool,
}

impl Talk {
    /// A package, and the data it is in.
    pub(super) fn package(data: Vec<u8>, package: Bytes, tag: Option<Tag>) -> Self {
        let frame = read(package).expect("it was well made");
        Talk {
            data,
            packages: vec![(frame, tag)],
            is_damaged: false,
        }
    }

    /// Bytes that are no packages.
    pub(super) fn noise(data: &[u8]) -> Self {
        Talk {
            data: data.to_vec(),
            is_damaged: true,
            ..Talk::default()
        }
    }

    /// What a WebSocket needs besides packages.
    pub(super) fn control(data: Vec<u8>) -> Self {
        Talk {
            data,
            ..Talk::default()
        }
    }

    pub(super) fn append(&mut self, other: Talk) {
        self.data.extend(other.data);
        self.packages.extend(other.packages);
        self.is_damaged |= other.is_damaged;
    }

    /// Pushes with a tag: whether they have an id, and may be ignored.
    pub(super) fn tagged(&self) -> impl Iterator<Item = (Tag, bool, bool)> {
        self.packages.iter().filter_map(|(frame, tag)| match frame {
            Frame::Quest(quest) => {
                let has_id = field(quest, "mid").is_some_and(|id| id.as_i64() != Some(0));
                Some(((*tag)?, has_id, quest.method() == "kickout"))
            }
            _ => None,
        })
    }
}

/// Reads what is exactly one package.
pub(super) fn read(package: Bytes) -> Option<Frame> {
    let mut decoder = Decoder::new(MAX_PACKAGE);
    // Were there anything behind it, another of them would not be read.
    decoder.push([&package[..], &answer(0, 0, b"\x80")].concat().into());
    let frame = decoder.next_frame().ok().flatten()?;
    let next = decoder.next_frame().ok().flatten()?;
    matches!(next, Frame::Answer(next) if next.seq == 0).then_some(frame)
}

/// A field of a body.
pub(super) fn field(quest: &Quest, name: &str) -> Option<Value> {
    let value = quest.payload.to_value().ok()?;
    let fields = value.as_map()?.iter();
    let mut found = fields.filter(|(key, _)| key.as_str() == Some(name));
    Some(found.next()?.1.clone())
}
