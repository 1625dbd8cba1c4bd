//! The HTTP exchange that opens a WebSocket (RFC 6455, section 4.1), client side.

use std::string::{String, ToString};
use std::vec::Vec;

use tungstenite::handshake::client::{Response, generate_key, generate_request};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;
use tungstenite::http::{HeaderMap, Request, StatusCode};

use super::TransportError;
use super::target::Host;

/// The path the service listens on (`RTMClient.js` of `highras/rtm-client-sdk-webjs`).
const PATH: &str = "/service/websocket";

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// How every response begins; what does not is no HTTP server.
const START_OF_HEAD: &[u8] = b"HTTP/1.";

/// Gathers the response head by itself, because a frame may be glued to it, and because a head may
/// arrive byte by byte.
#[derive(Debug)]
pub(super) struct Upgrade {
    accept: String,
    head: Vec<u8>,
    limit: usize,
}

impl Upgrade {
    /// Returns the request to send and what waits for its response.
    pub(super) fn start(
        host: &Host<'_>,
        port: u16,
        limit: usize,
    ) -> Result<(Vec<u8>, Self), TransportError> {
        let key = generate_key();
        let accept = derive_accept_key(key.as_bytes());
        let request = Request::builder()
            .uri(PATH)
            .header("Host", std::format!("{}:{port}", host.in_url()))
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", key)
            .body(())
            .map_err(|error| refused(None, error.to_string()))?;
        let (bytes, _key) =
            generate_request(request).map_err(|error| refused(None, error.to_string()))?;
        let head = Vec::new();
        Ok((
            bytes,
            Self {
                accept,
                head,
                limit,
            },
        ))
    }

    /// Takes received bytes. Once the response is complete and agrees, returns what lies behind it.
    pub(super) fn receive<'a>(
        &mut self,
        data: &'a [u8],
    ) -> Result<Option<&'a [u8]>, TransportError> {
        // The end may have begun in what came before.
        let known = self.head.len().saturating_sub(END_OF_HEAD.len() - 1);
        let room = self.limit.saturating_sub(self.head.len());
        let before = self.head.len();
        self.head
            .extend_from_slice(data.get(..room).unwrap_or(data));
        let begins = self.head.iter().zip(START_OF_HEAD).all(|(a, b)| a == b);
        if !begins {
            return Err(refused(None, "the peer does not answer in HTTP"));
        }
        let searched = self.head.get(known..).unwrap_or_default();
        let found = searched
            .windows(END_OF_HEAD.len())
            .position(|four| four == END_OF_HEAD);
        let Some(position) = found else {
            if data.len() >= room {
                return Err(TransportError::TooLarge {
                    what: "response head",
                    size: before.saturating_add(data.len()),
                    limit: self.limit,
                });
            }
            return Ok(None);
        };
        let end = known + position + END_OF_HEAD.len();
        self.head.truncate(end);
        self.verify()?;
        Ok(data.get(end - before..))
    }

    fn verify(&self) -> Result<(), TransportError> {
        let parsed = Response::try_parse(&self.head)
            .map_err(|error| refused(None, error.to_string()))?
            .filter(|(len, _)| *len == self.head.len());
        let Some((_, response)) = parsed else {
            return Err(refused(None, "the response head is malformed"));
        };
        let status = response.status();
        let refuse = |why: &str| Err(refused(Some(status.as_u16()), why));
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return refuse(status.canonical_reason().unwrap_or("unknown status"));
        }
        let headers = response.headers();
        if !has_token(headers, "Upgrade", "websocket") {
            return refuse("no `Upgrade: websocket` in the response");
        }
        if !has_token(headers, "Connection", "Upgrade") {
            return refuse("no `Connection: Upgrade` in the response");
        }
        match headers.get("Sec-WebSocket-Accept") {
            None => return refuse("no `Sec-WebSocket-Accept` in the response"),
            Some(accept) if accept.as_bytes() != self.accept.as_bytes() => {
                return refuse("`Sec-WebSocket-Accept` does not match the key");
            }
            Some(_) => {}
        }
        if headers.contains_key("Sec-WebSocket-Extensions") {
            return refuse("the response names an extension, and none was offered");
        }
        if headers.contains_key("Sec-WebSocket-Protocol") {
            return refuse("the response names a subprotocol, and none was offered");
        }
        Ok(())
    }
}

/// A header may hold a list (`Connection: keep-alive, Upgrade`) and may come more than once.
fn has_token(headers: &HeaderMap, name: &str, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

fn refused(status: Option<u16>, why: impl Into<String>) -> TransportError {
    TransportError::HandshakeRefused {
        status,
        why: why.into(),
    }
}
