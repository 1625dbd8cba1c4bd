//! TLS and WebSocket handshakes that are refused or answered with nonsense.

use rtm_client_tokio::error::{LoginErrorKind, TransportError};

use crate::handshakes::{failed, rude_server, stranger};
use crate::support::*;

#[tokio::test]
async fn a_certificate_of_an_unknown_issuer_is_refused() {
    let gate = start_gate();
    for via in [Via::Tls, Via::Wss] {
        let endpoint = via.of(&gate.gate());
        let error = failed(stranger(&endpoint)).await;
        let LoginErrorKind::Transport(TransportError::Certificate { host, .. }) = error.kind()
        else {
            panic!("{error}");
        };
        assert_eq!(host, "localhost");
        let text = error.to_string();
        let expected = format!("login at {endpoint}: the certificate of localhost was refused: ");
        assert!(text.starts_with(&expected), "{text}");
    }
    assert_eq!(gate.seen().quests.len(), 0);
}

// All of 127.0.0.0/8 is the loopback on Linux only.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let gate = start_gate();
    for via in [Via::Tls, Via::Wss] {
        let relay = Forward::start("127.0.0.2:0", via.port(&gate), Manner::Plain).await;
        let relay = relay.expect("a relay");
        let endpoint = format!("{}://{}", via.scheme(), relay.address);
        let error = failed(options(&gate, 0).gate(&endpoint)).await;
        let expected = format!("login at {endpoint}: the certificate of 127.0.0.2 was refused: ");
        let text = error.to_string();
        assert!(text.starts_with(&expected), "{text}");
    }
    assert_eq!(gate.seen().quests.len(), 0);
}

#[tokio::test]
async fn an_upgrade_refused_by_http_tells_the_status() {
    let says = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let (address, server) = rude_server(says, true).await;
    let error = failed(stranger(format!("ws://{address}"))).await;
    let expected = format!("login at ws://{address}: WebSocket upgrade refused with status 404: ");
    assert!(error.to_string().starts_with(&expected), "{error}");
    server.abort();
}

#[tokio::test]
async fn an_upgrade_answered_with_garbage_fails() {
    let (address, server) = rude_server(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", true).await;
    let error = failed(stranger(format!("ws://{address}"))).await;
    let expected = format!("login at ws://{address}: WebSocket upgrade failed: ");
    assert!(error.to_string().starts_with(&expected), "{error}");
    server.abort();
}

#[tokio::test]
async fn tls_answered_with_garbage_fails() {
    let (address, server) = rude_server(b"HTTP/1.1 400 Bad Request\r\n\r\n", true).await;
    for scheme in ["tls", "wss"] {
        let error = failed(stranger(format!("{scheme}://{address}"))).await;
        let expected = format!("login at {scheme}://{address}: TLS failed: ");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    server.abort();
}
