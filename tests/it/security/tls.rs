//! TLS by setting, and a certificate that is renewed while the server runs.

use std::{fs, path::Path, sync::Arc, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use support::{Process, trusting, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// Writes a new certificate for `localhost` and its key, and gives the certificate.
fn issue(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    CertificateDer::from_pem_slice(cert.pem().as_bytes()).unwrap()
}

/// Asks for a page by https and gives what comes, if the server shows this certificate.
async fn ask(host: &str, certificate: &CertificateDer<'static>) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let socket = TcpStream::connect(host).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(trusting(roots)))
        .connect(name, socket)
        .await
        .ok()?;
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    Some(answer)
}

fn start(folder: &Path) -> Process {
    let path = |name: &str| folder.join(name).display().to_string();
    let environment = [
        ("MYCAREER_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ("MYCAREER_DATA_DIR".to_owned(), path("data")),
        ("MYCAREER_TLS_CERT".to_owned(), path("cert.pem")),
        ("MYCAREER_TLS_KEY".to_owned(), path("key.pem")),
    ];
    Process::start("mycareer", environment, &[])
}

/// One test in one column: TLS stands before everything that a column is about.
#[tokio::test]
async fn the_api_is_served_by_tls_and_a_renewed_certificate_is_taken_up_at_sighup() {
    let folder = tempfile::tempdir().unwrap();
    let first = issue(folder.path());
    let mut program = start(folder.path());
    let address = program.address().await;
    let host = address.strip_prefix("https://").expect("it says https");
    let answer = ask(host, &first).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    // Without TLS nobody is answered.
    let mut plain = TcpStream::connect(host).await.unwrap();
    plain
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said).await;
    assert!(!said.starts_with(b"HTTP/"));

    let second = issue(folder.path());
    assert!(
        ask(host, &second).await.is_none(),
        "it is read at the signal"
    );
    program.hang_up();
    until(
        Duration::from_secs(10),
        "the new certificate is shown",
        async || ask(host, &second).await.map(|_| ()),
    )
    .await;
    assert!(ask(host, &first).await.is_none());

    // A file that can't be used changes nothing.
    fs::write(folder.path().join("cert.pem"), "nonsense").unwrap();
    program.hang_up();
    until(
        Duration::from_secs(10),
        "it is told in the log",
        async || program.output().contains("MYCAREER_TLS_CERT").then_some(()),
    )
    .await;
    assert!(ask(host, &second).await.is_some());
    assert!(program.terminate().await.success());
}

#[tokio::test]
async fn a_certificate_that_is_not_the_keys_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    issue(folder.path());
    let key = fs::read(folder.path().join("key.pem")).unwrap();
    issue(folder.path());
    fs::write(folder.path().join("key.pem"), key).unwrap();
    let mut program = start(folder.path());
    assert!(!program.ended().await.success());
    assert!(
        program
            .output()
            .contains("MYCAREER_TLS_KEY: it is not the key of MYCAREER_TLS_CERT"),
        "{}",
        program.output()
    );
}
