//! Logins that never get as far as a session: the name, the address, silence.

use std::time::Duration;

use rtm_client_tokio::Builder;
use rtm_client_tokio::error::{Cause, LoginErrorKind, LoginStep, LostReason, TransportError};
use rtm_client_tokio::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::*;

/// The error of a login that must fail, with calls that wait for it: they end too, unsent.
pub(crate) async fn failed(builder: Builder) -> LoginError {
    let client = builder.build().expect("valid options");
    let mut events = client.events();
    let patient = client.with_options(RequestOptions::default().wait_online(true).timeout(LIMIT));
    let mut calls = [patient.call(echo(1)), patient.call(echo(2))];
    calls.iter_mut().for_each(begin);
    let error = within("login", client.login()).await;
    let error = error.expect_err("this login must fail");
    for call in calls {
        let lost = within("a waiting call", call)
            .await
            .expect_err("no session");
        assert_eq!(lost.kind(), &RequestErrorKind::NotConnected);
        assert_eq!(lost.code(), ErrorCode::CORE_INVALID_CONNECTION);
    }
    let story = story(&mut events).await;
    assert_eq!(story.words, ["connecting", "closed"]);
    assert_eq!(story.cause, Cause::Login(error.clone()));
    assert!(
        !format!("{error} {error:?}").contains("the token"),
        "{error}"
    );
    error
}

pub(crate) fn stranger(gate: impl ToString) -> Builder {
    Client::builder(1, 1, "the token").gate(gate)
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_named() {
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = gone.local_addr().expect("an address");
    drop(gone);
    for via in Via::ALL {
        let endpoint = format!("{}://{address}", via.scheme());
        let error = failed(stranger(&endpoint)).await;
        assert!(matches!(error.kind(), LoginErrorKind::Connect { .. }));
        assert_eq!(error.endpoint(), Some(endpoint.as_str()));
        let text = error.to_string();
        let expected = format!("login at {endpoint}: cannot connect: Connection refused");
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_named() {
    for via in Via::THREE {
        let endpoint = format!("{}://nonexistent.invalid:13321", via.scheme());
        let error = failed(stranger(&endpoint)).await;
        let text = error.to_string();
        let expected = format!("login at {endpoint}: cannot connect: ");
        assert!(text.starts_with(&expected), "{text}");
    }
}

/// A server that reads something, says this, and then hangs up or stays.
pub(crate) async fn rude_server(says: &'static [u8], stays: bool) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(says).await;
            if stays {
                held.push(stream);
            }
        }
    });
    (address.to_string(), server)
}

#[tokio::test]
async fn a_peer_that_hangs_up_during_a_handshake_fails_the_login() {
    let (address, server) = rude_server(b"", false).await;
    for scheme in ["tcp", "ws", "tls", "wss"] {
        let error = failed(stranger(format!("{scheme}://{address}"))).await;
        let known = match error.kind() {
            LoginErrorKind::Lost(reason) => {
                matches!(reason, LostReason::PeerClosed | LostReason::Io { .. })
            }
            LoginErrorKind::Transport(error) => matches!(
                error,
                TransportError::Truncated { .. } | TransportError::HandshakeRefused { .. }
            ),
            _ => false,
        };
        assert!(known, "{scheme}: {error:?}");
        assert!(error.to_string().contains(&address), "{error}");
    }
    server.abort();
}

#[tokio::test]
async fn a_peer_that_says_nothing_runs_into_the_connection_timeout() {
    let (address, server) = rude_server(b"", true).await;
    for scheme in ["ws", "tls", "wss"] {
        let endpoint = format!("{scheme}://{address}");
        let limit = Duration::from_millis(100);
        let error = failed(stranger(&endpoint).connection_timeout(limit)).await;
        assert_eq!(error.kind(), &LoginErrorKind::TimedOut(LoginStep::Connect));
        assert_eq!(error.code(), ErrorCode::CORE_TIMEOUT);
        let expected = format!("login at {endpoint}: the connection was not open in time");
        assert_eq!(error.to_string(), expected);
    }
    server.abort();
}

#[tokio::test]
async fn a_gate_that_does_not_answer_runs_into_the_request_timeout() {
    let (address, server) = rude_server(b"", true).await;
    let limit = Duration::from_millis(100);
    let gate = stranger(format!("tcp://{address}")).request_timeout(limit);
    let error = failed(gate).await;
    let expected = format!("login at tcp://{address}: the gate did not answer in time");
    assert_eq!(error.to_string(), expected);
    let dispatch = Client::builder(1, 1, "the token").dispatch(format!("tcp://{address}"));
    let error = failed(dispatch.connection_timeout(limit)).await;
    let expected = format!("login at tcp://{address}: the dispatch node did not answer in time");
    assert_eq!(error.to_string(), expected);
    server.abort();
}
