//! A corner of the shared Redis for each test, and a Redis of its own for a test that must stop or empty one.

use std::{
    env,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use uuid::Uuid;

use crate::{port::free_port, wait::until};

/// The name of the variable with the address of a Redis server that the tests may fill.
const URL_VARIABLE: &str = "MYCAREER_TEST_REDIS_URL";
/// The name of the variable with the path of the server program.
const SERVER_VARIABLE: &str = "MYCAREER_TEST_REDIS_SERVER";

/// Keys under one prefix of the Redis that all tests share.
#[derive(Clone, Debug)]
pub struct RedisCorner {
    url: String,
    prefix: String,
}

impl RedisCorner {
    /// A corner that no other test knows.
    pub fn new() -> Self {
        let url = env::var(URL_VARIABLE).unwrap_or_else(|_| {
            panic!("{URL_VARIABLE} is not set: run this test with `tests/run`, which starts Redis for it")
        });
        Self {
            url,
            prefix: format!("t-{}", Uuid::new_v4().simple()),
        }
    }

    /// As `REDIS_URL` wants it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What every key of the test begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl Default for RedisCorner {
    fn default() -> Self {
        Self::new()
    }
}

/// A Redis server of one test, which it may stop, start again and empty. It goes when this value goes.
#[derive(Debug)]
pub struct OwnRedis {
    port: u16,
    folder: TempDir,
    server: Option<Child>,
}

impl OwnRedis {
    /// Started, and answering.
    pub async fn start() -> Self {
        let mut redis = Self {
            port: free_port(),
            folder: tempfile::tempdir().unwrap(),
            server: None,
        };
        redis.start_again().await;
        redis
    }

    /// As `REDIS_URL` wants it. The address stays the same when the server is stopped and started.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Starts the server at the same address, with what it had kept in its append-only file.
    pub async fn start_again(&mut self) {
        self.stop();
        let server = Command::new(server_program())
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--dir", &self.folder.path().display().to_string()])
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--save", "", "--maxmemory-policy", "noeviction"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server could not be started: {error}"));
        self.server = Some(server);
        until(Duration::from_secs(10), "Redis answers", async || {
            self.command("PING").await.ok()
        })
        .await;
    }

    /// Ends the server at once, as a crash would.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Deletes every key of every database on the server.
    pub async fn flush_all(&self) {
        self.command("FLUSHALL").await.unwrap();
    }

    async fn command(&self, name: &str) -> redis::RedisResult<()> {
        let mut connection = redis::Client::open(self.url())?
            .get_multiplexed_async_connection()
            .await?;
        redis::cmd(name).exec_async(&mut connection).await
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.stop();
    }
}

fn server_program() -> PathBuf {
    env::var_os(SERVER_VARIABLE).map_or_else(|| PathBuf::from("redis-server"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use redis::AsyncTypedCommands;

    use super::OwnRedis;

    #[tokio::test]
    async fn it_keeps_its_keys_over_a_crash_and_loses_them_when_flushed() {
        let mut server = OwnRedis::start().await;
        connect(&server).await.set("key", "kept").await.unwrap();

        server.start_again().await;
        let kept = connect(&server).await.get("key").await.unwrap();
        assert_eq!(kept.as_deref(), Some("kept"));

        server.flush_all().await;
        assert_eq!(connect(&server).await.get("key").await.unwrap(), None);

        server.stop();
        let client = redis::Client::open(server.url()).unwrap();
        assert!(client.get_multiplexed_async_connection().await.is_err());
    }

    async fn connect(server: &OwnRedis) -> redis::aio::MultiplexedConnection {
        redis::Client::open(server.url())
            .unwrap()
            .get_multiplexed_async_connection()
            .await
            .unwrap()
    }
}
