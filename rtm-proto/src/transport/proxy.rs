//! The wrapper around packages that go through an RTM proxy.

use bytes::{BufMut, BytesMut};
use rmp::Marker;

use super::TransportError;

const ENDPOINT_KEY: &[u8] = b"endpoint";
const DATA_KEY: &[u8] = b"data";

/// The longest `host:port` taken: a DNS name has at most 253 bytes.
const MAX_ENDPOINT: usize = 255;

/// Puts `{"endpoint": "host:port", "data": <package>}` around packages, in msgpack, as `RTMProxy.js`
/// of `highras/rtm-client-sdk-webjs` does. The package itself is the last thing of the map, so
/// wrapping is writing something in front of it.
#[derive(Debug)]
pub(super) struct Wrapper {
    /// Everything up to the length of the package.
    front: BytesMut,
}

impl Wrapper {
    pub(super) fn new(endpoint: &str) -> Result<Self, TransportError> {
        let len = u8::try_from(endpoint.len()).map_err(|_| TransportError::TooLarge {
            what: "proxied endpoint",
            size: endpoint.len(),
            limit: MAX_ENDPOINT,
        })?;
        let mut front = BytesMut::with_capacity(endpoint.len() + 18);
        front.put_u8(Marker::FixMap(2).to_u8());
        front.put_u8(Marker::FixStr(ENDPOINT_KEY.len() as u8).to_u8());
        front.put_slice(ENDPOINT_KEY);
        if len < 32 {
            front.put_u8(Marker::FixStr(len).to_u8());
        } else {
            front.put_u8(Marker::Str8.to_u8());
            front.put_u8(len);
        }
        front.put_slice(endpoint.as_bytes());
        front.put_u8(Marker::FixStr(DATA_KEY.len() as u8).to_u8());
        front.put_slice(DATA_KEY);
        Ok(Self { front })
    }

    /// Bytes in front of a package of `len` bytes.
    pub(super) fn overhead(&self, len: usize) -> usize {
        let length_field = match len {
            0..=0xff => 2,
            0x100..=0xffff => 3,
            _ => 5,
        };
        self.front.len() + length_field
    }

    /// Writes what stands in front of a package of `len` bytes.
    pub(super) fn write_front(&self, len: usize, out: &mut BytesMut) {
        out.put_slice(&self.front);
        if let Ok(len) = u8::try_from(len) {
            out.put_u8(Marker::Bin8.to_u8());
            out.put_u8(len);
        } else if let Ok(len) = u16::try_from(len) {
            out.put_u8(Marker::Bin16.to_u8());
            out.put_u16(len);
        } else {
            out.put_u8(Marker::Bin32.to_u8());
            out.put_u32(len as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;

    #[test]
    fn every_form_of_length_decodes_to_the_package() {
        for endpoint_len in [1, 31, 32, 255] {
            for len in [0, 255, 256, 65_535, 65_536] {
                let endpoint: String = core::iter::repeat_n('h', endpoint_len).collect();
                let package: Vec<u8> = (0..len).map(|i| i as u8).collect();
                let wrapper = Wrapper::new(&endpoint).unwrap();
                let mut out = BytesMut::new();
                wrapper.write_front(len, &mut out);
                assert_eq!(out.len(), wrapper.overhead(len));
                out.extend_from_slice(&package);
                let value = rmpv::decode::read_value(&mut &out[..]).unwrap();
                let map = value.as_map().unwrap();
                assert_eq!(map[0].0.as_str(), Some("endpoint"));
                assert_eq!(map[0].1.as_str(), Some(endpoint.as_str()));
                assert_eq!(map[1].0.as_str(), Some("data"));
                assert!(map[1].1.is_bin());
                assert_eq!(map[1].1.as_slice(), Some(&package[..]));
            }
        }
    }

    #[test]
    fn an_endpoint_no_host_can_have_is_refused() {
        let endpoint: String = core::iter::repeat_n('h', 256).collect();
        assert!(matches!(
            Wrapper::new(&endpoint),
            Err(TransportError::TooLarge { size: 256, .. })
        ));
    }
}
