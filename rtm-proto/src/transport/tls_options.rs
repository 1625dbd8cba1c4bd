//! What TLS connections share: trusted roots, crypto provider, clock, sessions to resume.

use std::fmt;
use std::string::ToString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use super::TransportError;

/// TLS settings, made once and shared by all connections of a client: cloning is cheap, and
/// connections with clones of the same options resume each other's sessions.
///
/// TLS 1.2 and 1.3 are on. There is no way to accept any certificate. No process-wide crypto provider is
/// set or read.
///
/// The clock comes from outside: until [`set_unix_time`](Self::set_unix_time) was called, every
/// handshake fails with an error that says so.
#[derive(Clone)]
pub struct TlsOptions {
    config: Arc<ClientConfig>,
    clock: SharedClock,
}

impl TlsOptions {
    /// Trusts the root certificates of Mozilla that are built in (`webpki-roots`), with ring as the
    /// crypto provider.
    ///
    /// # Errors
    /// [`TransportError::TlsOptions`] if the crypto provider supports no protocol version; ring does.
    pub fn webpki() -> Result<Self, TransportError> {
        Self::builder().add_webpki_roots().build()
    }

    /// Trusts `roots` and nothing else, with ring as the crypto provider.
    ///
    /// # Errors
    /// [`TransportError::TlsOptions`] if `roots` is empty.
    pub fn with_roots(roots: RootCertStore) -> Result<Self, TransportError> {
        TlsOptionsBuilder {
            roots,
            ..Self::builder()
        }
        .build()
    }

    /// Takes a finished configuration: another provider, client certificates, a verifier of its own.
    /// It also keeps its own clock, so [`set_unix_time`](Self::set_unix_time) has no effect.
    #[must_use]
    pub fn from_client_config(config: Arc<ClientConfig>) -> Self {
        Self {
            config,
            clock: SharedClock::default(),
        }
    }

    /// Collects roots from several sources. It begins with none.
    #[must_use]
    pub fn builder() -> TlsOptionsBuilder {
        TlsOptionsBuilder {
            roots: RootCertStore::empty(),
            provider: None,
        }
    }

    /// Sets the wall clock, as time since 1970-01-01 00:00 UTC, for all clones of these options. It
    /// decides whether a certificate is valid and how old a session may be; whole seconds count.
    pub fn set_unix_time(&self, unix: Duration) {
        self.clock.0.store(unix.as_secs(), Ordering::Relaxed);
    }

    pub(super) fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }
}

/// Says nothing about the configuration, which may hold the key of a client certificate.
impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions").finish_non_exhaustive()
    }
}

/// Collects what [`TlsOptions`] are made of.
///
/// ```
/// use rtm_proto::transport::TlsOptions;
///
/// let native: Vec<Vec<u8>> = Vec::new(); // what the platform trusts, in DER
/// let mut builder = TlsOptions::builder().add_webpki_roots();
/// let (_added, _unusable) = builder.add_roots_der(&native);
/// let options = builder.build()?;
/// # let _ = options;
/// # Ok::<(), rtm_proto::transport::TransportError>(())
/// ```
#[derive(Clone)]
pub struct TlsOptionsBuilder {
    roots: RootCertStore,
    provider: Option<Arc<CryptoProvider>>,
}

impl TlsOptionsBuilder {
    /// Adds the root certificates of Mozilla that are built in (`webpki-roots`).
    #[must_use]
    pub fn add_webpki_roots(mut self) -> Self {
        self.roots
            .extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        self
    }

    /// Adds root certificates in DER, as a platform's store lists them. Such stores may hold
    /// certificates nobody can parse: those are left out. Returns how many were added and left out.
    pub fn add_roots_der<D: AsRef<[u8]>>(
        &mut self,
        certificates: impl IntoIterator<Item = D>,
    ) -> (usize, usize) {
        let (mut added, mut unusable) = (0, 0);
        for certificate in certificates {
            match self.roots.add(CertificateDer::from(certificate.as_ref())) {
                Ok(()) => added += 1,
                Err(_) => unusable += 1,
            }
        }
        (added, unusable)
    }

    /// Adds every certificate of a PEM text.
    ///
    /// # Errors
    /// [`TransportError::TlsOptions`] if the text is not PEM, holds no certificate, or one that
    /// cannot be a root.
    pub fn add_root_pem(mut self, pem: &str) -> Result<Self, TransportError> {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            let added = self.roots.add(certificate);
            added.map_err(|error| unusable(error.to_string()))?;
            found = true;
        }
        if found {
            Ok(self)
        } else {
            Err(unusable("the PEM text holds no certificate"))
        }
    }

    /// Uses another crypto provider than ring.
    #[must_use]
    pub fn provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Makes the options.
    ///
    /// # Errors
    /// [`TransportError::TlsOptions`] if no root was added, or if the provider supports neither
    /// TLS 1.2 nor 1.3.
    pub fn build(self) -> Result<TlsOptions, TransportError> {
        let Self { roots, provider } = self;
        let provider =
            provider.unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| unusable(error.to_string()))?;
        let clock = SharedClock::default();
        let config = ClientConfig::builder_with_details(provider, Arc::new(clock.clone()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_webpki_verifier(verifier)
            .with_no_client_auth();
        Ok(TlsOptions {
            config: Arc::new(config),
            clock,
        })
    }
}

impl fmt::Debug for TlsOptionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptionsBuilder")
            .field("roots", &self.roots.len())
            .finish_non_exhaustive()
    }
}

/// Unix time in seconds; zero while nobody has set it.
#[derive(Clone, Debug, Default)]
struct SharedClock(Arc<AtomicU64>);

impl TimeProvider for SharedClock {
    fn current_time(&self) -> Option<UnixTime> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            seconds => Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds))),
        }
    }
}

fn unusable(why: impl Into<std::string::String>) -> TransportError {
    TransportError::TlsOptions { why: why.into() }
}
