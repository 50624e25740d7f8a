//! Ports for servers that a test stops and starts again.

use std::net::TcpListener;

/// Below the range that the system hands out to outgoing connections, so that none takes the port while the server is
/// stopped, and above the one that `tests/services.sh` takes its ports from.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = rand::random_range(30_000..32_768);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
