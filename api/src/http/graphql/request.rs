//! Reading a GraphQL request out of an HTTP request.

use std::io;

use async_graphql::{Request, Variables};
use poem::{
    Body,
    error::ReadBodyError,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
};
use serde_json::Value;

use super::accept::is_utf8;
use crate::http::intake::LONGEST_BODY;

/// Why an HTTP request is no GraphQL request.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The status that says so.
    pub status: StatusCode,
    /// The reason, for people.
    pub reason: String,
}

impl Malformed {
    fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
        }
    }

    fn bad(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }
}

/// Reads the parameters of a GET request from the query of its address.
pub(super) fn from_query(query: &str) -> Result<Request, Malformed> {
    let mut parameters = Parameters::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let slot = match name.as_ref() {
            "query" => &mut parameters.query,
            "operationName" if value.is_empty() => continue,
            "operationName" => &mut parameters.operation_name,
            "variables" => &mut parameters.variables,
            "extensions" => &mut parameters.extensions,
            _ => continue,
        };
        if slot.is_some() {
            return Err(Malformed::bad(format!("`{name}` is given twice.")));
        }
        *slot = Some(if matches!(name.as_ref(), "variables" | "extensions") {
            serde_json::from_str(&value)
                .map_err(|error| Malformed::bad(format!("`{name}` is not JSON: {error}.")))?
        } else {
            Value::String(value.into_owned())
        });
    }
    parameters.into_request()
}

/// Reads the parameters of a POST request from its body.
pub(super) async fn from_body(headers: &HeaderMap, body: Body) -> Result<Request, Malformed> {
    check_content(headers)?;
    let too_large = || {
        Malformed::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is longer than {LONGEST_BODY} bytes."),
        )
    };
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LONGEST_BODY) {
        return Err(too_large());
    }
    let bytes = body
        .into_bytes_limit(LONGEST_BODY)
        .await
        .map_err(|error| match error {
            ReadBodyError::PayloadTooLarge => too_large(),
            ReadBodyError::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => too_large(),
            ReadBodyError::Io(error) if error.kind() == io::ErrorKind::TimedOut => Malformed::new(
                StatusCode::REQUEST_TIMEOUT,
                "The body takes too long to come.",
            ),
            _ => Malformed::bad("The body can't be read."),
        })?;
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Malformed::bad(format!("The body is not JSON: {error}.")))?;
    from_json(value)
}

/// Reads the parameters of a request out of JSON.
pub(super) fn from_json(value: Value) -> Result<Request, Malformed> {
    match value {
        Value::Object(mut map) => Parameters {
            query: map.remove("query"),
            operation_name: map.remove("operationName"),
            variables: map.remove("variables"),
            extensions: map.remove("extensions"),
        }
        .into_request(),
        Value::Array(_) => Err(Malformed::bad(
            "Batches are not supported: send one request at a time.",
        )),
        _ => Err(Malformed::bad("A request is a JSON object.")),
    }
}

/// Refuses what is not JSON in UTF-8. That also refuses whatever a page of another site can send without asking first
/// (`text/plain`, forms), so that nobody's browser can be made to act for them.
fn check_content(headers: &HeaderMap) -> Result<(), Malformed> {
    let refuse = |reason: &str| Malformed::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason);
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return Err(refuse("Send `Content-Type: application/json`."));
    };
    let mut parts = content_type
        .to_str()
        .unwrap_or_default()
        .split(';')
        .map(str::trim);
    if !parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
    {
        return Err(refuse("The body has to be `application/json`."));
    }
    let charset = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    if charset.is_some_and(|(_, charset)| !is_utf8(charset)) {
        return Err(refuse("The body has to be in UTF-8."));
    }
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(refuse("The body must not be compressed."));
    }
    Ok(())
}

/// The parameters of a request, as they came.
#[derive(Default)]
struct Parameters {
    query: Option<Value>,
    operation_name: Option<Value>,
    variables: Option<Value>,
    extensions: Option<Value>,
}

impl Parameters {
    fn into_request(self) -> Result<Request, Malformed> {
        let query = match self.query {
            Some(Value::String(query)) => query,
            None | Some(Value::Null) => return Err(Malformed::bad("`query` is missing.")),
            Some(_) => return Err(Malformed::bad("`query` is not a string.")),
        };
        let mut request = Request::new(query);
        request.operation_name = match self.operation_name {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err(Malformed::bad("`operationName` is not a string.")),
        };
        match self.variables {
            None | Some(Value::Null) => {}
            Some(variables @ Value::Object(_)) => {
                request.variables = Variables::from_json(variables);
            }
            Some(_) => return Err(Malformed::bad("`variables` is not an object.")),
        }
        // They are reserved for extensions of the protocol, of which there is none here.
        match self.extensions {
            None | Some(Value::Null | Value::Object(_)) => Ok(request),
            Some(_) => Err(Malformed::bad("`extensions` is not an object.")),
        }
    }
}
