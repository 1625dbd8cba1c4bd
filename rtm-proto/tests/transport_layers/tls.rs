//! TLS: trust, time, versions, resumption, the end of a stream.

use std::sync::Arc;
use std::time::Duration;

use rtm_proto::transport::{
    Scheme, Target, TlsOptions, Transport, TransportError, TransportLimits, TransportState,
};
use rustls::{AlertDescription, HandshakeKind, RootCertStore};

use crate::support::{
    HOST, Identity, NOW, Peer, connected, from_peer, identity, packages, pump, receive, send,
};

const SCHEMES: [Scheme; 2] = [Scheme::Tls, Scheme::Wss];

fn to(host: &str, options: &TlsOptions) -> Transport {
    let target = Target::new(Scheme::Tls, host, 13322);
    Transport::new(&target, Some(options), TransportLimits::default()).unwrap()
}

/// Shakes hands and returns what the transport and the server say about it.
fn handshake(
    transport: &mut Transport,
) -> (Result<Vec<u8>, TransportError>, Option<rustls::Error>) {
    let mut peer = Peer::new(Scheme::Tls);
    let result = pump(transport, &mut peer, usize::MAX);
    while let Some(alert) = transport.transmit() {
        peer.receive(&alert);
    }
    (result, peer.tls_error)
}

fn alert(description: AlertDescription) -> Option<rustls::Error> {
    Some(rustls::Error::AlertReceived(description))
}

#[test]
fn names_and_addresses_the_certificate_covers_are_trusted() {
    for host in [HOST, "RTM.example", "127.0.0.1", "::1", "[::1]"] {
        let (result, _) = handshake(&mut to(host, &identity().options()));
        assert_eq!(result, Ok(Vec::new()), "{host}");
    }
}

#[test]
fn an_unknown_root_is_refused_and_the_peer_learns_why() {
    let mut transport = to(HOST, &{
        let options = TlsOptions::webpki().unwrap();
        options.set_unix_time(NOW);
        options
    });
    let (result, told) = handshake(&mut transport);
    let Err(TransportError::Certificate { host, why }) = result else {
        panic!("{result:?}")
    };
    assert_eq!(host, HOST);
    assert!(why.contains("trusted roots"), "{why}");
    assert_eq!(told, alert(AlertDescription::UnknownCA));
    assert_eq!(transport.state(), TransportState::Closed);
    assert!(!transport.wants_transmit());
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    for host in ["other.example", "127.0.0.2", "::2"] {
        let (result, _) = handshake(&mut to(host, &identity().options()));
        let Err(TransportError::Certificate { why, .. }) = result else {
            panic!("{result:?}")
        };
        assert!(why.contains("another name"), "{why}");
    }
}

#[test]
fn the_given_time_decides_whether_a_certificate_is_valid() {
    let year = |year: u64| Duration::from_secs((year - 1970) * 31_557_600);
    for (now, verdict) in [(2015, "not valid yet"), (2025, ""), (2035, "has expired")] {
        let options = identity().options();
        let clone = options.clone();
        let mut transport = to(HOST, &options);
        clone.set_unix_time(year(now));
        match handshake(&mut transport).0 {
            Ok(_) => assert_eq!(verdict, ""),
            Err(TransportError::Certificate { why, .. }) => {
                assert!(!verdict.is_empty() && why.contains(verdict), "{now}: {why}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn without_a_clock_the_handshake_fails_and_says_so() {
    let builder = TlsOptions::builder()
        .add_root_pem(&identity().root_pem)
        .unwrap();
    let (result, _) = handshake(&mut to(HOST, &builder.build().unwrap()));
    let Err(TransportError::Tls { why }) = result else {
        panic!("{result:?}")
    };
    assert!(why.contains("clock"), "{why}");
}

#[test]
fn roots_come_from_pem_der_and_stores() {
    let der = &identity().root_der;
    let mut builder = TlsOptions::builder();
    assert_eq!(builder.add_roots_der([&der[..], b"no certificate"]), (1, 1));
    let mut store = RootCertStore::empty();
    store.add(der.clone().into()).unwrap();
    for options in [
        builder.build().unwrap(),
        TlsOptions::with_roots(store).unwrap(),
    ] {
        options.set_unix_time(NOW);
        assert_eq!(handshake(&mut to(HOST, &options)).0, Ok(Vec::new()));
    }
}

#[test]
fn unusable_roots_are_refused_when_the_options_are_made() {
    let unusable = |result: Option<TransportError>| {
        assert!(
            matches!(result, Some(TransportError::TlsOptions { .. })),
            "{result:?}"
        );
    };
    unusable(TlsOptions::builder().build().err());
    unusable(TlsOptions::builder().add_root_pem("").err());
    unusable(TlsOptions::builder().add_root_pem("not PEM").err());
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    unusable(TlsOptions::builder().add_root_pem(junk).err());
    let broken = "-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n";
    unusable(TlsOptions::builder().add_root_pem(broken).err());
}

#[test]
fn a_configuration_of_the_callers_own_is_used() {
    let mut roots = RootCertStore::empty();
    roots.add(identity().root_der.clone().into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let options = TlsOptions::from_client_config(Arc::new(config));
    assert_eq!(handshake(&mut to(HOST, &options)).0, Ok(Vec::new()));
    assert_eq!(format!("{options:?}"), "TlsOptions { .. }");
}

#[test]
fn no_process_wide_provider_is_set() {
    connected(Scheme::Tls);
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

#[test]
fn both_versions_carry_packages() {
    for (version, name) in [
        (&rustls::version::TLS12, rustls::ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, rustls::ProtocolVersion::TLSv1_3),
    ] {
        for scheme in SCHEMES {
            for step in [1, usize::MAX] {
                let mut transport = crate::support::transport(scheme);
                let mut peer = Peer::with_config(scheme, &identity().server(&[version]));
                send(&mut transport, b"early");
                pump(&mut transport, &mut peer, step).unwrap();
                assert_eq!(peer.tls.as_ref().unwrap().protocol_version(), Some(name));
                peer.write(&from_peer(scheme, &[3; 40_000]));
                let received = pump(&mut transport, &mut peer, step).unwrap();
                assert_eq!(received, [3; 40_000]);
                assert_eq!(packages(scheme, &mut peer), b"early");
            }
        }
    }
}

#[test]
fn connections_with_clones_of_the_options_resume_sessions() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (options, server) = (identity().options(), identity().server(&[version]));
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let mut transport = to(HOST, &options.clone());
            let mut peer = Peer::with_config(Scheme::Tls, &server);
            pump(&mut transport, &mut peer, usize::MAX).unwrap();
            kinds.push(peer.tls.unwrap().handshake_kind().unwrap());
        }
        assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);
    }
}

#[test]
fn packages_sent_together_share_records() {
    let (mut transport, mut peer) = connected(Scheme::Tls);
    for _ in 0..64 {
        send(&mut transport, &[1; 200]);
    }
    let piece = transport.transmit().unwrap();
    assert_eq!(transport.transmit(), None);
    assert!(piece.len() < 64 * 200 + 100, "{} bytes", piece.len());
    peer.receive(&piece);
    assert_eq!(peer.plain.len(), 64 * 200);
}

#[test]
fn a_chunk_with_many_records_comes_out_as_one_piece() {
    let (mut transport, mut peer) = connected(Scheme::Tls);
    for _ in 0..50 {
        peer.write(&[1; 300]);
    }
    let raw = bytes::Bytes::from(peer.take_raw());
    let mut received = std::collections::VecDeque::new();
    transport.receive(raw, &mut received).unwrap();
    assert_eq!(
        received.iter().map(bytes::Bytes::len).collect::<Vec<_>>(),
        [15_000]
    );
}

#[test]
fn a_close_notify_of_the_peer_ends_the_byte_stream_cleanly() {
    let (mut transport, mut peer) = connected(Scheme::Tls);
    send(&mut transport, b"queued");
    peer.write(b"last");
    peer.close_notify();
    assert_eq!(receive(&mut transport, &peer.take_raw()).unwrap(), b"last");
    assert_eq!(transport.state(), TransportState::Closing);
    pump(&mut transport, &mut peer, usize::MAX).unwrap();
    assert_eq!(peer.plain, b"queued");
    assert!(peer.got_close_notify);
    assert_eq!(transport.state(), TransportState::Closed);
    assert_eq!(
        receive(&mut transport, b"bytes behind the end"),
        Ok(Vec::new())
    );
    assert_eq!(transport.receive_end(), Ok(()));
}

#[test]
fn a_close_notify_without_a_close_frame_cuts_a_websocket() {
    let (mut transport, mut peer) = connected(Scheme::Wss);
    peer.write(&from_peer(Scheme::Wss, b"last"));
    peer.close_notify();
    let mut received = std::collections::VecDeque::new();
    let raw = bytes::Bytes::from(peer.take_raw());
    let cut = transport.receive(raw, &mut received);
    assert!(
        matches!(cut, Err(TransportError::Truncated { .. })),
        "{cut:?}"
    );
    assert_eq!(received, [&b"last"[..]]);
}

#[test]
fn an_end_during_the_handshake_is_a_cut() {
    for scheme in SCHEMES {
        let mut transport = crate::support::transport(scheme);
        let mut peer = Peer::new(scheme);
        peer.receive(&transport.transmit().unwrap());
        let raw = peer.take_raw();
        receive(&mut transport, &raw[..raw.len() / 2]).unwrap();
        let end = transport.receive_end();
        assert!(
            matches!(end, Err(TransportError::Truncated { .. })),
            "{end:?}"
        );
    }
}

#[test]
fn a_record_that_was_tampered_with_ends_the_transport_with_an_alert() {
    for scheme in SCHEMES {
        let (mut transport, mut peer) = connected(scheme);
        peer.write(&from_peer(scheme, b"intact"));
        let mut raw = peer.take_raw();
        peer.write(&from_peer(scheme, b"tampered"));
        let mut second = peer.take_raw();
        *second.last_mut().unwrap() ^= 1;
        raw.extend(second);
        let mut received = std::collections::VecDeque::new();
        let error = transport.receive(raw.into(), &mut received).unwrap_err();
        assert!(matches!(error, TransportError::Tls { .. }), "{error}");
        assert_eq!(
            received,
            [&b"intact"[..]],
            "what came before the fault is delivered"
        );
        assert!(transport.wants_transmit());
        peer.receive(&transport.transmit().unwrap());
        assert_eq!(peer.tls_error, alert(AlertDescription::BadRecordMac));
        assert!(!transport.wants_transmit());
    }
}

#[test]
fn another_identity_with_the_same_names_is_refused() {
    let stranger = Identity::make();
    let mut transport = to(HOST, &identity().options());
    let config = stranger.server(rustls::ALL_VERSIONS);
    let mut peer = Peer::with_config(Scheme::Tls, &config);
    let refused = pump(&mut transport, &mut peer, usize::MAX);
    assert!(
        matches!(refused, Err(TransportError::Certificate { .. })),
        "{refused:?}"
    );
}
