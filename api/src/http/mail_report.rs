//! Where mail servers post reports of failed delivery and complaints, one message at a time.

use domain::{Error, RefusalCode, Store, mail_report::Source};
use poem::{
    Body, EndpointExt, IntoEndpoint, Request, Response, Route, handler,
    http::{StatusCode, header::AUTHORIZATION},
    post,
    web::Data,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::commands::bounce::take;

/// The header that says whom a report was delivered to.
const RECIPIENT: &str = "x-recipient";

/// The hash of the secret: what is compared takes the same time whatever is given.
#[derive(Clone)]
struct SecretHash([u8; 32]);

impl SecretHash {
    fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

/// The route, for whoever knows `secret`.
#[must_use]
pub fn routes(store: Store, secret: &str) -> impl IntoEndpoint + use<> {
    Route::new()
        .at("/", post(receive))
        .data(store)
        .data(SecretHash::of(secret))
}

#[handler]
async fn receive(
    Data(store): Data<&Store>,
    Data(secret): Data<&SecretHash>,
    req: &Request,
    body: Body,
) -> Response {
    let given = req
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if given.is_none_or(|given| SecretHash::of(given).0 != secret.0) {
        return answer(
            StatusCode::UNAUTHORIZED,
            &json!({ "error": "The secret is missing or wrong." }),
        );
    }
    let Ok(message) = body.into_bytes().await else {
        return answer(
            StatusCode::BAD_REQUEST,
            &json!({ "error": "The message did not come whole, or is too long." }),
        );
    };
    let recipient = req
        .headers()
        .get(RECIPIENT)
        .and_then(|value| value.to_str().ok());
    match take(store, &message, recipient, Source::Hook).await {
        Ok(outcome) => answer(StatusCode::OK, &json!({ "outcome": outcome })),
        Err(Error::Refused(refusals)) => {
            let is_gone = refusals
                .iter()
                .any(|refusal| refusal.code == RefusalCode::NotFound);
            let status = if is_gone {
                StatusCode::NOT_FOUND
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            answer(
                status,
                &json!({ "error": Error::Refused(refusals).to_string() }),
            )
        }
        Err(error) => {
            tracing::error!(%error, "a report about mail can't be taken");
            answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                &json!({ "error": "Something went wrong on our side. Post it again later." }),
            )
        }
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .body(body.to_string())
}
