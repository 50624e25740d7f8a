//! TLS to the relay: from the first byte (on a stream of our own), or by STARTTLS (lettre's).

use std::{
    fmt, io,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use lettre::transport::smtp::client::{
    AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use super::relay::RelayUrlError;

/// How the connection is kept from being read on its way.
#[derive(Clone)]
pub(super) enum Security {
    /// Not at all.
    None,
    /// By `STARTTLS`, or no conversation.
    StartTls(TlsParameters),
    /// By TLS from the first byte.
    Tls(TlsConnector, ServerName<'static>),
}

/// What `SMTP_URL` with `tls=required` asks for.
pub(super) fn starttls(host: &str, ca: Option<&Path>) -> Result<Security, RelayUrlError> {
    let mut parameters =
        TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(path) = ca {
        let certificate =
            Certificate::from_pem(&read(path)?).map_err(|error| unusable(path, &error))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    let parameters = parameters
        .build()
        .map_err(|error| RelayUrlError::Certificates(error.to_string()))?;
    Ok(Security::StartTls(parameters))
}

/// What `smtps://` asks for.
pub(super) fn from_the_start(host: &str, ca: Option<&Path>) -> Result<Security, RelayUrlError> {
    let broken = |error: &dyn fmt::Display| RelayUrlError::Certificates(error.to_string());
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = ca {
        for certificate in CertificateDer::pem_slice_iter(&read(path)?) {
            let certificate = certificate.map_err(|error| unusable(path, &error))?;
            roots
                .add(certificate)
                .map_err(|error| unusable(path, &error))?;
        }
    }
    // The provider is named, because a process that links two of them has no default one.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| broken(&error))?;
    Ok(Security::Tls(TlsConnector::from(Arc::new(config)), name))
}

fn read(path: &Path) -> Result<Vec<u8>, RelayUrlError> {
    std::fs::read(path).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &dyn fmt::Display) -> RelayUrlError {
    RelayUrlError::Certificates(format!(
        "the certificates in {} can't be used: {error}",
        path.display()
    ))
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::StartTls(_) => "STARTTLS",
            Self::Tls(..) => "TLS",
        })
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An encrypted stream in the shape that lettre takes one.
#[derive(Debug)]
pub(super) struct Encrypted(pub(super) TlsStream<TcpStream>);

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
