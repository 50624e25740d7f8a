//! `/graphiql`: the stock page to try operations, under a policy that runs nothing that isn't its own.

use async_graphql::http::GraphiQLSource;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use poem::{Response, handler, http::StatusCode};

use crate::http::pages;

/// Where the page loads GraphiQL from.
const LIBRARY: &str = "https://esm.sh";

/// The page. Its two scripts carry a number that is drawn for each answer and that only the policy of this answer names;
/// what they import is let in because they do. The editor makes its own style sheets and its workers out of blobs.
#[handler]
pub(super) fn page() -> Response {
    let nonce = STANDARD_NO_PAD.encode(rand::random::<[u8; 16]>());
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' 'unsafe-inline' {LIBRARY}; \
         font-src {LIBRARY} data:; img-src 'self' data:; connect-src 'self'; worker-src blob:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let html = GraphiQLSource::build()
        .endpoint("/graphql")
        .subscription_endpoint("/graphql/ws")
        .title("MyCareer")
        .finish()
        .replace("<script ", &format!("<script nonce=\"{nonce}\" "));
    pages::html_response(StatusCode::OK, &policy, html)
}
