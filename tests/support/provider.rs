//! The university as the tests have it: a real `OpenID` Connect provider, in Node.js.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::OnceCell,
};

/// What MyCareer proves itself by.
const SECRET: &str = "the secret of a test";

/// A running provider. It ends with this value.
#[derive(Debug)]
pub struct Provider {
    issuer: String,
    _child: Child,
}

impl Provider {
    /// Starts one that knows these people, by the name they sign in with, and sends browsers back to `redirect`.
    ///
    /// # Panics
    /// When Node.js or the packages can't be had, or it doesn't start.
    pub async fn start(redirect: &str, people: &Value) -> Self {
        prepare().await;
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .current_dir(folder().join("oidc"))
            .env("REDIRECT_URI", redirect)
            .env("CLIENT_SECRET", SECRET)
            .env("PEOPLE", people.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let issuer = loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("the provider ends before it listens");
            if let Some(address) = line.strip_prefix("listening on ") {
                break address.trim_end_matches('/').to_owned();
            }
        };
        // What it prints later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            issuer,
            _child: child,
        }
    }

    /// The settings that make MyCareer use it.
    pub fn settings(&self) -> [(&'static str, &str); 3] {
        [
            ("MYCAREER_OIDC_ISSUER", &self.issuer),
            ("MYCAREER_OIDC_CLIENT_ID", "mycareer"),
            ("MYCAREER_OIDC_CLIENT_SECRET", SECRET),
        ]
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Gets the provider's packages and the browser, once.
///
/// # Panics
/// When they can't be had; the message says what is missing.
pub(crate) async fn prepare() {
    static READY: OnceCell<()> = OnceCell::const_new();
    READY
        .get_or_init(async || {
            let output = Command::new(folder().join("university.sh"))
                .output()
                .await
                .unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        })
        .await;
}
