//! Files that are sent while they are read, so that however long one is it needs no memory.

use domain::{Error, Store};
use futures_util::stream;
use poem::{Body, Response, http::StatusCode};

use super::pages;

/// A file that the audit log knows of, and where reading it has come to.
pub(super) trait Download: Send + Sized + 'static {
    /// Its media type.
    const CONTENT_TYPE: &'static str;
    /// For whom its links work, and what to do about one that doesn't.
    const WORKS_FOR: &'static str;

    /// What it is saved as.
    fn name(&self) -> String;

    /// Its next part; none: that was all.
    fn next(&mut self, store: &Store)
    -> impl Future<Output = Result<Option<String>, Error>> + Send;
}

/// The file, or a page that says why there is none.
pub(super) fn response<D: Download>(begun: Result<Option<D>, Error>, store: &Store) -> Response {
    match begun {
        Ok(Some(file)) => Response::builder()
            .content_type(D::CONTENT_TYPE)
            .header(
                "Content-Disposition",
                format!("attachment; filename=\"{}\"", file.name()),
            )
            .header("Cache-Control", "no-store")
            .header("Referrer-Policy", "no-referrer")
            .body(Body::from_bytes_stream(parts(file, store.clone()))),
        Ok(None) => pages::message(
            StatusCode::NOT_FOUND,
            "This link doesn't work",
            D::WORKS_FOR,
        ),
        Err(error) => {
            tracing::error!(%error, "a file can't be exported");
            pages::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "Nothing was exported. Try again in a while.",
            )
        }
    }
}

fn parts<D: Download>(
    file: D,
    store: Store,
) -> impl futures_util::Stream<Item = Result<String, std::io::Error>> + Send + 'static {
    stream::try_unfold((file, store), async |(mut file, store)| {
        let part = file.next(&store).await.map_err(|error| {
            tracing::error!(%error, "an export broke off");
            std::io::Error::other("the export broke off")
        })?;
        Ok(part.map(|part| (part, (file, store))))
    })
}
