//! A client of the API as a frontend would be one: HTTP and JSON, nothing of the server's code.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::http_client;

/// Speaks to one server, as one person or as nobody.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    address: String,
    token: Option<String>,
}

/// What `/graphql` answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: StatusCode,
    /// `data`; null when there is none.
    pub data: Value,
    /// `errors`; empty when there are none.
    pub errors: Vec<Value>,
    /// `extensions`; null when there are none.
    pub extensions: Value,
}

impl Client {
    /// A client that isn't signed in. `address` is `http://host:port`.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            http: http_client().build().unwrap(),
            address: address.into(),
            token: None,
        }
    }

    /// The same, with an access token.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Signs in, and is that person from then on.
    ///
    /// # Panics
    /// When the server doesn't let them in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Self {
        let answer = self
            .graphql(
                "mutation($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { code message } } }",
                json!({ "input": { "email": email, "password": password } }),
            )
            .await;
        let token = answer.data["signIn"]["accessToken"]
            .as_str()
            .unwrap_or_else(|| panic!("{email} could not sign in: {answer:?}"));
        self.clone().with_token(token)
    }

    /// Runs a query or a mutation.
    ///
    /// # Panics
    /// When the answer isn't a GraphQL response.
    pub async fn graphql(&self, query: &str, variables: Value) -> Response {
        let answer = self
            .request(Method::POST, "/graphql")
            .json(&json!({ "query": query, "variables": variables }))
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        let mut body: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{status}, and not a GraphQL response: {error}: {text}")
        });
        Response {
            status,
            data: body["data"].take(),
            errors: match body["errors"].take() {
                Value::Array(errors) => errors,
                _ => Vec::new(),
            },
            extensions: body["extensions"].take(),
        }
    }

    /// Runs a query or a mutation that must have no errors, and gives its data.
    ///
    /// # Panics
    /// When it has errors.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let answer = self.graphql(query, variables).await;
        assert!(answer.errors.is_empty(), "{query}\n{:#?}", answer.errors);
        answer.data
    }

    /// Opens a subscription over server-sent events, and leaves once the server has accepted it.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn expect_stream(&self, subscription: &str) {
        let answer = self
            .request(Method::POST, "/graphql/stream")
            .header("Accept", "text/event-stream")
            .json(&json!({ "query": subscription }))
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let kind = answer
            .headers()
            .get("Content-Type")
            .map_or("", |kind| kind.to_str().unwrap())
            .to_owned();
        if status != StatusCode::OK || !kind.starts_with("text/event-stream") {
            let text = answer.text().await.unwrap_or_default();
            panic!("{status}, and not a stream of events but {kind:?}: {text}");
        }
    }

    /// Opens a subscription over server-sent events. What comes is waited for with [`Watch::until`].
    ///
    /// # Panics
    /// When the server doesn't answer.
    pub async fn watch(&self, subscription: &str) -> Watch {
        let stream = self
            .request(Method::POST, "/graphql/stream")
            .header("Accept", "text/event-stream")
            .json(&json!({ "query": subscription }))
            .send()
            .await
            .unwrap();
        Watch {
            stream,
            seen: String::new(),
        }
    }

    /// Fetches a page.
    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// A request to make by hand: with the token, and nothing else.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// `http://host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The access token, when signed in.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

impl Response {
    /// The `extensions.code` of every error, in order.
    pub fn codes(&self) -> Vec<&str> {
        self.errors
            .iter()
            .map(|error| error["extensions"]["code"].as_str().unwrap_or("no code"))
            .collect()
    }

    /// The `userErrors` of the one mutation in the answer, as their codes.
    ///
    /// # Panics
    /// When the answer has none.
    pub fn refusals(&self) -> Vec<&str> {
        self.data
            .as_object()
            .and_then(|fields| fields.values().next())
            .and_then(|payload| payload["userErrors"].as_array())
            .unwrap_or_else(|| panic!("no userErrors in {self:?}"))
            .iter()
            .map(|error| error["code"].as_str().unwrap_or("no code"))
            .collect()
    }
}

/// An open subscription.
#[derive(Debug)]
pub struct Watch {
    stream: reqwest::Response,
    seen: String,
}

impl Watch {
    /// Waits until something has come with this text in it.
    ///
    /// # Panics
    /// When it hasn't after 30 seconds, or the stream has ended.
    pub async fn until(&mut self, text: &str) {
        let found = tokio::time::timeout(std::time::Duration::from_secs(30), async {
            while !self.seen.contains(text) {
                let chunk = self.stream.chunk().await.ok().flatten();
                let Some(chunk) = chunk else {
                    return false;
                };
                self.seen.push_str(&String::from_utf8_lossy(&chunk));
            }
            true
        })
        .await;
        assert_eq!(found, Ok(true), "{text} in {}", self.seen);
    }
}
