//! A real browser, driven as a person would, over `WebDriver` (<https://www.w3.org/TR/webdriver2/>).

use std::{process::Stdio, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{http_client, provider::prepare, until};

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// How an element is named in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Without a window, and without the connections of its own that it would otherwise make.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with nothing in it. It ends with this value.
#[derive(Debug)]
pub struct Browser {
    http: reqwest::Client,
    session: String,
    _driver: Child,
    profile: TempDir,
}

impl Browser {
    /// Opens one.
    ///
    /// # Panics
    /// When Chromium or `ChromeDriver` can't be had or don't start.
    pub async fn open() -> Self {
        prepare().await;
        let folder = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .args(["--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("ChromeDriver ends before it listens");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut browser = Self {
            http: http_client().build().unwrap(),
            session: format!("http://127.0.0.1:{port}/session"),
            _driver: driver,
            profile: folder,
        };
        let arguments: Vec<String> = ARGUMENTS
            .into_iter()
            .map(str::to_owned)
            .chain([format!(
                "--user-data-dir={}",
                browser.profile.path().display()
            )])
            .collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
        } } });
        let opened = browser.send(Method::POST, "", wanted).await.unwrap();
        let id = opened["sessionId"].as_str().unwrap();
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    /// Goes to an address.
    pub async fn go(&self, address: &str) {
        self.send(Method::POST, "/url", json!({ "url": address }))
            .await
            .unwrap();
    }

    /// Types into the field that a CSS selector finds, once it is there.
    pub async fn fill(&self, selector: &str, text: &str) {
        let path = format!("/element/{}/value", self.element(selector).await);
        self.send(Method::POST, &path, json!({ "text": text }))
            .await
            .unwrap();
    }

    /// Clicks what a CSS selector finds, once it is there.
    pub async fn click(&self, selector: &str) {
        let path = format!("/element/{}/click", self.element(selector).await);
        self.send(Method::POST, &path, json!({})).await.unwrap();
    }

    /// The text that is shown of what a CSS selector finds, once it is there.
    pub async fn text(&self, selector: &str) -> String {
        let path = format!("/element/{}/text", self.element(selector).await);
        let text = self.send(Method::GET, &path, Value::Null).await.unwrap();
        text.as_str().unwrap().to_owned()
    }

    /// Shows pages in a window of this width in pixels, to somebody who prefers dark pages or light ones.
    pub async fn show(&self, width: u32, dark: bool) {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.developer("Emulation.setDeviceMetricsOverride", size)
            .await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.developer(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
    }

    /// The whole page as a picture (PNG), in a window of this width in pixels.
    pub async fn picture(&self, width: u32) -> Vec<u8> {
        let sized = |height: u64| json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let set = "Emulation.setDeviceMetricsOverride";
        self.developer("Emulation.setScrollbarsHidden", json!({ "hidden": true }))
            .await;
        self.developer(set, sized(400)).await;
        let height = self
            .run("return Math.ceil(document.documentElement.scrollHeight)")
            .await;
        self.developer(set, sized(height.as_u64().unwrap())).await;
        let taken = self
            .send(Method::GET, "/screenshot", Value::Null)
            .await
            .unwrap();
        STANDARD.decode(taken.as_str().unwrap()).unwrap()
    }

    async fn developer(&self, command: &str, parameters: Value) {
        let wanted = json!({ "cmd": command, "params": parameters });
        self.send(Method::POST, "/goog/cdp/execute", wanted)
            .await
            .unwrap();
    }

    /// What a script in the page returns.
    pub async fn run(&self, script: &str) -> Value {
        let wanted = json!({ "script": script, "args": [] });
        self.send(Method::POST, "/execute/sync", wanted)
            .await
            .unwrap()
    }

    /// The names of the cookies that the page's scripts must not see.
    pub async fn hidden_cookies(&self) -> Vec<String> {
        let cookies = self
            .send(Method::GET, "/cookie", Value::Null)
            .await
            .unwrap();
        cookies
            .as_array()
            .unwrap()
            .iter()
            .filter(|cookie| cookie["httpOnly"] == true)
            .map(|cookie| cookie["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Ends it.
    pub async fn close(self) {
        self.send(Method::DELETE, "", Value::Null).await.unwrap();
    }

    async fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        until(PATIENCE, selector, async || {
            let found = self
                .send(Method::POST, "/element", wanted.clone())
                .await
                .ok()?;
            Some(found[ELEMENT].as_str()?.to_owned())
        })
        .await
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let mut request = self.http.request(method, format!("{}{path}", self.session));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let succeeded = answer.status().is_success();
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        if succeeded {
            Ok(answer["value"].take())
        } else {
            Err(answer["value"]["message"].to_string())
        }
    }
}
