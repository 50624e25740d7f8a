//! Those who send slowly, and those who come in crowds.

use support::{System, on_both_columns};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn connect(system: &System) -> TcpStream {
    let host = system.client().address().strip_prefix("http://").unwrap();
    TcpStream::connect(host).await.unwrap()
}

/// Sends this much and no more, and reads until the server hangs up.
async fn answer_to(system: &System, part: &str) -> String {
    let mut connection = connect(system).await;
    connection.write_all(part.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = connection.read_to_string(&mut answer).await;
    answer
}

on_both_columns! {
    /// These connections end because the server ends them: the test waits for nothing else.
    async fn who_sends_slowly_is_not_waited_for(bed: TestBed) {
        let system = bed.system_with(&[("MYCAREER_READ_SECONDS", "1")]).await;
        assert_eq!(answer_to(&system, "").await, "");
        let head = answer_to(&system, "POST /graphql HTTP/1.1\r\nhost: here\r\nx-slow: ").await;
        assert!(head.is_empty() || head.starts_with("HTTP/1.1 408"), "{head}");
        let body = answer_to(
            &system,
            "POST /graphql HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
        )
        .await;
        assert!(body.starts_with("HTTP/1.1 408"), "{body}");
        system.stop().await;
    }

    async fn an_address_has_so_many_connections_and_no_more(bed: TestBed) {
        let system = bed.system_with(&[("MYCAREER_CONNECTIONS_PER_ADDRESS", "3")]).await;
        let request = b"GET /health/live HTTP/1.1\r\nhost: here\r\n\r\n";
        let mut open = Vec::new();
        for _ in 0..3 {
            let mut connection = connect(&system).await;
            connection.write_all(request).await.unwrap();
            let mut status = [0; 12];
            connection.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 200");
            open.push(connection);
        }
        let answered = async || {
            let mut connection = connect(&system).await;
            let mut status = [0; 12];
            connection.write_all(request).await.is_ok() && connection.read_exact(&mut status).await.is_ok()
        };
        assert!(!answered().await, "a fourth is taken");
        // Who leaves makes room for another.
        drop(open);
        support::until(std::time::Duration::from_secs(10), "there is room again", async || answered().await.then_some(())).await;
        system.stop().await;
    }
}
