//! TLS in front of the routes, where no proxy does it: one certificate, read again when it is renewed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
    server::TlsStream,
};
use tokio_util::sync::CancellationToken;
use worker::settings::SettingsError;

/// How often the files are looked at. SIGHUP has them looked at at once.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Answers TLS handshakes with the certificate as it is now.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

impl Tls {
    /// With the certificate chain and the key in these two PEM files.
    pub fn open(chain: &Path, key: &Path) -> Result<Self, SettingsError> {
        let certificate = Arc::new(Certificate::open(chain, key)?);
        // The provider is named, because a process that links two of them has no default one.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| SettingsError::new(CHAIN, error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
        })
    }

    /// Shakes hands.
    pub async fn accept<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        socket: T,
    ) -> std::io::Result<TlsStream<T>> {
        self.acceptor.accept(socket).await
    }

    /// Reads the files again when they have changed, or SIGHUP says so, until `stopping`. Files that can't be used leave
    /// the certificate as it was.
    pub async fn keep_current(self, stopping: CancellationToken) {
        let mut hang_ups = HangUps::new();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = hang_ups.next() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match self.certificate.renew() {
                Ok(true) => tracing::info!("the TLS certificate has been read anew"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the TLS certificate stays as it was"),
            }
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.certificate.chain)
            .finish_non_exhaustive()
    }
}

const CHAIN: &str = "MYCAREER_TLS_CERT";
const KEY: &str = "MYCAREER_TLS_KEY";

/// The certificate, and where it is read from.
#[derive(Debug)]
struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    fn open(chain: &Path, key: &Path) -> Result<Self, SettingsError> {
        Ok(Self {
            current: RwLock::new(Arc::new(read(chain, key)?)),
            chain: chain.to_owned(),
            key: key.to_owned(),
        })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files; answers whether they hold another certificate than before.
    fn renew(&self) -> Result<bool, SettingsError> {
        let read = read(&self.chain, &self.key)?;
        if read.cert == self.current().cert {
            return Ok(false);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
        Ok(true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

/// Reads a chain and its key, and looks whether they belong together. Nothing of the key is repeated in an error.
fn read(chain: &Path, key: &Path) -> Result<CertifiedKey, SettingsError> {
    let text = |setting: &'static str, path: &Path| {
        fs::read(path).map_err(|error| {
            SettingsError::new(
                setting,
                format!("{} can't be read: {error}", path.display()),
            )
        })
    };
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&text(CHAIN, chain)?)
            .collect::<Result<_, _>>()
            .ok()
            .filter(|found: &Vec<_>| !found.is_empty())
            .ok_or_else(|| {
                SettingsError::new(CHAIN, format!("{} has no PEM certificate", chain.display()))
            })?;
    let private = PrivateKeyDer::from_pem_slice(&text(KEY, key)?).map_err(|_| {
        SettingsError::new(KEY, format!("{} has no PEM private key", key.display()))
    })?;
    CertifiedKey::from_der(certificates, private, &ring::default_provider()).map_err(|error| {
        let reason = match error {
            rustls::Error::InconsistentKeys(_) => {
                "it is not the key of MYCAREER_TLS_CERT".to_owned()
            }
            _ => "it can't be used".to_owned(),
        };
        SettingsError::new(KEY, reason)
    })
}

/// The signal by which services are asked to read their files again.
struct HangUps(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl HangUps {
    #[cfg(unix)]
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::hangup()).ok())
    }

    #[cfg(not(unix))]
    fn new() -> Self {
        Self()
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
