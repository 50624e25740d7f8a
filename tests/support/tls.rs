//! TLS as the tests speak it.

use std::sync::Arc;

use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Trusts these certificates and no others.
///
/// # Panics
/// When the provider of the cryptography has no protocol version that is safe.
pub fn trusting(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// An HTTP client to be built: for the servers of this machine, so that it trusts nobody's certificate.
pub fn http_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent("mycareer-tests")
        .tls_backend_preconfigured(trusting(RootCertStore::empty()))
}

/// Gets a page of this machine.
///
/// # Panics
/// When nobody answers there.
pub async fn plain_get(address: &str) -> reqwest::Response {
    let http = http_client().build().unwrap();
    http.get(address).send().await.unwrap()
}
