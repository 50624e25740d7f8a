//! The id of the request that all work in hand goes back to, from HTTP through job to mail.

use std::future::Future;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Does `work` on behalf of the request `id`.
pub async fn within<F: Future>(id: String, work: F) -> F::Output {
    REQUEST_ID.scope(id, work).await
}

/// The id of the request in hand, if there is one.
#[must_use]
pub fn current_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}
