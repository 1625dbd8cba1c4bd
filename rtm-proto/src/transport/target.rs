//! Where a transport leads.

use alloc::string::String;
#[cfg(feature = "websocket")]
use alloc::{borrow::ToOwned, format};
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

use super::TransportError;

/// How packages travel to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// WebSocket over TLS.
    Wss,
    /// WebSocket.
    Ws,
    /// The package stream over TLS.
    Tls,
    /// The bare package stream.
    Tcp,
}

impl Scheme {
    /// The name before `://`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wss => "wss",
            Self::Ws => "ws",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
        }
    }

    /// True where a TLS layer lies below: `wss` and `tls`.
    #[must_use]
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Wss | Self::Tls)
    }

    /// True where packages travel as WebSocket messages: `wss` and `ws`.
    #[must_use]
    pub const fn is_websocket(self) -> bool {
        matches!(self, Self::Wss | Self::Ws)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The peer of a transport.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// How packages travel.
    pub scheme: Scheme,
    /// DNS name (ASCII) or IP address, an IPv6 address with or without brackets. It names the host
    /// of the WebSocket request and is what the certificate must cover.
    pub host: String,
    /// TCP port; part of the WebSocket request.
    pub port: u16,
    /// Set when the peer is an RTM proxy: bare `host:port` of the server behind it. Every outgoing
    /// package is then wrapped in a msgpack map `{"endpoint": wrap, "data": package}`; what comes
    /// back is not wrapped (`RTMProxy.js` of `highras/rtm-client-sdk-webjs`).
    pub wrap: Option<String>,
}

impl Target {
    /// A target that is reached directly.
    pub fn new(scheme: Scheme, host: impl Into<String>, port: u16) -> Self {
        Self {
            scheme,
            host: host.into(),
            port,
            wrap: None,
        }
    }

    /// The same peer taken as a proxy for `endpoint`, a bare `host:port`.
    #[must_use]
    pub fn wrapping(mut self, endpoint: impl Into<String>) -> Self {
        self.wrap = Some(endpoint.into());
        self
    }
}

/// Writes `scheme://host:port`, an IPv6 address in brackets.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = without_brackets(&self.host);
        if host.contains(':') {
            write!(f, "{}://[{host}]:{}", self.scheme, self.port)
        } else {
            write!(f, "{}://{host}:{}", self.scheme, self.port)
        }
    }
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
}

/// A host that was checked: nothing in it can break out of a request header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

impl<'a> Host<'a> {
    pub(super) fn parse(host: &'a str) -> Result<Self, TransportError> {
        let invalid = |why| TransportError::InvalidHost {
            host: host.into(),
            why,
        };
        let bare = without_brackets(host);
        if bare.is_empty() {
            return Err(invalid("it is empty"));
        }
        if bare.contains(':') || bare.len() != host.len() {
            // A zone (`fe80::1%eth0`) matters to the socket alone (RFC 6874, section 4).
            let address = bare
                .split_once('%')
                .map_or(bare, |(address, _zone)| address);
            return address
                .parse::<Ipv6Addr>()
                .map(|address| Self::Address(address.into()))
                .map_err(|_| invalid("not an IPv6 address"));
        }
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        if !bare.is_ascii() {
            return Err(invalid("a name must be in its ASCII form (xn--...)"));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if !bare.bytes().all(plain) {
            return Err(invalid("a name has letters, digits, '-', '.' and '_' only"));
        }
        Ok(Self::Name(bare))
    }

    /// The form that stands in front of `:port` in a URL or a `Host` header.
    #[cfg(feature = "websocket")]
    pub(super) fn in_url(&self) -> String {
        match self {
            Self::Name(name) => (*name).to_owned(),
            Self::Address(IpAddr::V4(address)) => format!("{address}"),
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_like_a_url_with_ipv6_in_brackets() {
        let url = |host: &str| alloc::format!("{}", Target::new(Scheme::Wss, host, 13322));
        assert_eq!(url("rtm.example"), "wss://rtm.example:13322");
        assert_eq!(url("::1"), "wss://[::1]:13322");
        assert_eq!(url("[::1]"), "wss://[::1]:13322");
    }

    #[test]
    fn addresses_and_names_are_told_apart() {
        let v6 = Host::Address("::1".parse().unwrap());
        assert_eq!(Host::parse("[::1]"), Ok(v6));
        assert_eq!(Host::parse("::1"), Ok(v6));
        assert_eq!(Host::parse("::1%lo"), Ok(v6));
        let v4 = Host::Address("127.0.0.1".parse().unwrap());
        assert_eq!(Host::parse("127.0.0.1"), Ok(v4));
        assert_eq!(
            Host::parse("a-b_c.example"),
            Ok(Host::Name("a-b_c.example"))
        );
    }

    #[test]
    fn a_host_that_could_break_a_header_or_url_is_refused() {
        for host in [
            "",
            "[]",
            "[",
            "a b",
            "a/b",
            "user@host",
            "a\r\nX: y",
            "a:80",
            "[::1",
            "[1.2.3.4]",
            "b\u{fc}cher.example",
            "%eth0",
            "a%b",
        ] {
            let refused = matches!(
                Host::parse(host),
                Err(TransportError::InvalidHost { host: named, .. }) if named == host
            );
            assert!(refused, "{host:?}");
        }
    }
}
