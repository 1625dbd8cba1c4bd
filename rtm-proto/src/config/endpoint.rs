//! Addresses of dispatch nodes, gates and proxies.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::error::kept;
use crate::transport::Scheme;

/// The longest host name, in bytes.
const MAX_HOST: usize = 255;

/// Where a service listens: `wss://host:port`, `ws://…`, `tls://…`,
/// `tcp://…` or a bare `host:port`.
///
/// A bare endpoint takes its scheme from the [`ssl`](crate::Config::ssl)
/// option: `wss` when on, `ws` when off. IPv6 addresses go in brackets. The
/// path `/service/websocket`, which every FPNN server uses, may be written
/// and means nothing new.
///
/// ```
/// use rtm_proto::{Endpoint, EndpointErrorKind, Scheme};
///
/// let gate: Endpoint = "tcp://[::1]:13321".parse()?;
/// assert_eq!(gate.host(), "::1");
/// assert_eq!(gate.port(), 13321);
/// assert_eq!(gate.scheme(), Some(Scheme::Tcp));
///
/// let wrong = "::1:13321".parse::<Endpoint>().unwrap_err();
/// assert_eq!(*wrong.kind(), EndpointErrorKind::AmbiguousIpv6);
/// # Ok::<(), rtm_proto::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Option<Scheme>,
    host: String,
    port: u16,
}

impl Endpoint {
    /// The scheme, if the text named one.
    #[must_use]
    pub const fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// Host name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The same endpoint with `scheme` filled in if it has none.
    #[must_use]
    pub fn with_default_scheme(mut self, scheme: Scheme) -> Self {
        self.scheme.get_or_insert(scheme);
        self
    }

    /// `host:port` without a scheme, IPv6 in brackets: the form the wire uses.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            alloc::format!("[{}]:{}", self.host, self.port)
        } else {
            alloc::format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{scheme}://")?;
        }
        f.write_str(&self.authority())
    }
}

/// A text that is not an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    text: String,
    kind: EndpointErrorKind,
}

/// What is wrong with an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointErrorKind {
    /// The part before `://` is none of `wss`, `ws`, `tls`, `tcp`.
    UnknownScheme,
    /// An IPv6 address without brackets: nobody can tell where it ends and
    /// the port begins.
    AmbiguousIpv6,
    /// There is no `:port`.
    MissingPort,
    /// The port is not a number from 1 to 65535.
    BadPort,
    /// There is no host.
    MissingHost,
    /// The host holds a character that no host name or address has, or more
    /// of them than the 255 that a name may have (RFC 1035, section 2.3.4).
    BadHost,
    /// Something other than `/service/websocket` follows the port.
    UnexpectedPath,
}

impl EndpointError {
    fn new(text: &str, kind: EndpointErrorKind) -> Self {
        EndpointError {
            text: kept(text),
            kind,
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> &EndpointErrorKind {
        &self.kind
    }

    /// The text that was given; what exceeds 1024 bytes is cut off.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match self.kind {
            EndpointErrorKind::UnknownScheme => write!(
                f,
                "endpoint {text:?}: unknown scheme, use wss://, ws://, tls:// or tcp://"
            ),
            EndpointErrorKind::AmbiguousIpv6 => write!(
                f,
                "endpoint {text:?}: put an IPv6 address in brackets, as in [::1]:13321"
            ),
            EndpointErrorKind::MissingPort => {
                write!(f, "endpoint {text:?}: no port, expected host:port")
            }
            EndpointErrorKind::BadPort => {
                write!(
                    f,
                    "endpoint {text:?}: the port is not a number from 1 to 65535"
                )
            }
            EndpointErrorKind::MissingHost => {
                write!(f, "endpoint {text:?}: no host, expected host:port")
            }
            EndpointErrorKind::BadHost => {
                write!(f, "endpoint {text:?}: not a host name or address")
            }
            EndpointErrorKind::UnexpectedPath => write!(
                f,
                "endpoint {text:?}: nothing but /service/websocket may follow the port"
            ),
        }
    }
}

impl core::error::Error for EndpointError {}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let fail = |kind| EndpointError::new(text, kind);
        let trimmed = text.trim();
        let (scheme, rest) = match trimmed.split_once("://") {
            Some((name, rest)) => {
                let scheme =
                    parse_scheme(name).ok_or_else(|| fail(EndpointErrorKind::UnknownScheme))?;
                (Some(scheme), rest)
            }
            None => (None, trimmed),
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, path),
            None => (rest, ""),
        };
        if !path.is_empty() && path.trim_end_matches('/') != "service/websocket" {
            return Err(fail(EndpointErrorKind::UnexpectedPath));
        }
        let (host, port) = split_authority(authority).map_err(fail)?;
        let port = match port.parse::<u16>() {
            Ok(port) if port > 0 => port,
            _ => return Err(fail(EndpointErrorKind::BadPort)),
        };
        Ok(Endpoint {
            scheme,
            host: host.to_owned(),
            port,
        })
    }
}

fn parse_scheme(name: &str) -> Option<Scheme> {
    [Scheme::Wss, Scheme::Ws, Scheme::Tls, Scheme::Tcp]
        .into_iter()
        .find(|scheme| name.eq_ignore_ascii_case(scheme.as_str()))
}

fn split_authority(authority: &str) -> Result<(&str, &str), EndpointErrorKind> {
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, rest) = bracketed
            .split_once(']')
            .ok_or(EndpointErrorKind::BadHost)?;
        if host.parse::<core::net::Ipv6Addr>().is_err() {
            return Err(EndpointErrorKind::BadHost);
        }
        let port = rest
            .strip_prefix(':')
            .ok_or(EndpointErrorKind::MissingPort)?;
        return Ok((host, port));
    }
    if authority.matches(':').count() > 1 {
        return Err(EndpointErrorKind::AmbiguousIpv6);
    }
    let (host, port) = authority
        .split_once(':')
        .ok_or(EndpointErrorKind::MissingPort)?;
    if host.is_empty() {
        return Err(EndpointErrorKind::MissingHost);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.len() > MAX_HOST || !host.chars().all(allowed) {
        return Err(EndpointErrorKind::BadHost);
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn kind(text: &str) -> EndpointErrorKind {
        text.parse::<Endpoint>().unwrap_err().kind().clone()
    }

    #[test]
    fn every_scheme_and_a_bare_endpoint_are_read() {
        for (text, scheme) in [
            ("wss://a.example:13322", Some(Scheme::Wss)),
            ("WS://a.example:13321", Some(Scheme::Ws)),
            ("tls://a.example:13321", Some(Scheme::Tls)),
            ("tcp://127.0.0.1:13321", Some(Scheme::Tcp)),
            ("a.example:13321", None),
            (
                " wss://a.example:13322/service/websocket ",
                Some(Scheme::Wss),
            ),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.scheme(), scheme, "{text}");
        }
    }

    #[test]
    fn brackets_hold_ipv6_and_come_back_in_the_text_form() {
        let endpoint: Endpoint = "ws://[2001:db8::7]:80".parse().unwrap();
        assert_eq!(endpoint.host(), "2001:db8::7");
        assert_eq!(endpoint.authority(), "[2001:db8::7]:80");
        assert_eq!(endpoint.to_string(), "ws://[2001:db8::7]:80");
    }

    #[test]
    fn each_mistake_has_its_own_kind() {
        assert_eq!(kind("::1:13321"), EndpointErrorKind::AmbiguousIpv6);
        assert_eq!(kind("wsss://a:1"), EndpointErrorKind::UnknownScheme);
        assert_eq!(kind("http://a:1"), EndpointErrorKind::UnknownScheme);
        assert_eq!(kind("a.example"), EndpointErrorKind::MissingPort);
        assert_eq!(kind("[::1]"), EndpointErrorKind::MissingPort);
        assert_eq!(kind("a:0"), EndpointErrorKind::BadPort);
        assert_eq!(kind("a:70000"), EndpointErrorKind::BadPort);
        assert_eq!(kind("a:"), EndpointErrorKind::BadPort);
        assert_eq!(kind(":13321"), EndpointErrorKind::MissingHost);
        assert_eq!(kind("a b:1"), EndpointErrorKind::BadHost);
        assert_eq!(kind("[::1:1"), EndpointErrorKind::BadHost);
        assert_eq!(kind("user@a:1"), EndpointErrorKind::BadHost);
        let long = "a".repeat(256) + ":1";
        assert_eq!(kind(&long), EndpointErrorKind::BadHost);
        assert!(long[1..].parse::<Endpoint>().is_ok());
        assert_eq!(kind("a:1/other"), EndpointErrorKind::UnexpectedPath);
        assert_eq!(kind(""), EndpointErrorKind::MissingPort);
    }
}
