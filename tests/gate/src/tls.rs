//! The service's own certificate authority, made anew at each start.

use futures_rustls::TlsAcceptor;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::error::Error;
use std::sync::Arc;

/// What is needed to serve TLS, and the root certificate (PEM) that a client has to trust for it.
pub(crate) fn make() -> Result<(TlsAcceptor, String), Box<dyn Error + Send + Sync>> {
    let root_key = KeyPair::generate()?;
    let mut root = CertificateParams::default();
    root.distinguished_name
        .push(DnType::CommonName, "rtm-gate root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    let root_certificate = root.self_signed(&root_key)?;
    let issuer = Issuer::new(root, root_key);

    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let mut own = CertificateParams::new(names)?;
    own.distinguished_name.push(DnType::CommonName, "rtm-gate");
    let key = KeyPair::generate()?;
    let certificate = own.signed_by(&key, &issuer)?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der())?,
        )?;
    Ok((TlsAcceptor::from(Arc::new(config)), root_certificate.pem()))
}
