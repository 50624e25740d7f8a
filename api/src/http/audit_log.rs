//! The audit log as JSON lines, by links that `exportAuditLog` makes: for one person, for minutes.

use domain::{
    Error, Store,
    audit::{self, Link},
    viewer::Viewer,
};
use entity::ids::AuditEntryId;
use futures_util::stream;
use poem::{
    Body, EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::pages;

/// The routes below `/audit-log`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new().at("/:token", get(fetch)).data(store)
}

#[handler]
async fn fetch(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match begun(store, &token).await {
        Ok(Some(export)) => Response::builder()
            .content_type("application/jsonl; charset=utf-8")
            .header(
                "Content-Disposition",
                "attachment; filename=\"audit-log.jsonl\"",
            )
            .header("Cache-Control", "no-store")
            .header("Referrer-Policy", "no-referrer")
            .body(Body::from_bytes_stream(export.lines(store.clone()))),
        Ok(None) => pages::message(
            StatusCode::NOT_FOUND,
            "This link doesn't work",
            "It works for minutes, and for super users and administrators alone. Have another made.",
        ),
        Err(error) => {
            tracing::error!(%error, "the audit log can't be exported");
            pages::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "Nothing was exported. Try again in a while.",
            )
        }
    }
}

/// An export that the log knows of.
struct Export {
    link: Link,
    viewer: Viewer,
    after: Option<AuditEntryId>,
    last: Option<AuditEntryId>,
}

async fn begun(store: &Store, token: &str) -> Result<Option<Export>, Error> {
    let Some((link, viewer)) = audit::open(store, token).await? else {
        return Ok(None);
    };
    let mut tx = store.begin().await?;
    let last = audit::begin_export(&mut tx, &viewer, &link.filter).await?;
    tx.commit().await?;
    Ok(Some(Export {
        link,
        viewer,
        after: None,
        last,
    }))
}

impl Export {
    /// All of it, page by page, so that however long it is it needs no memory.
    fn lines(
        self,
        store: Store,
    ) -> impl futures_util::Stream<Item = Result<String, std::io::Error>> + Send + 'static {
        stream::try_unfold((self, store), async |(mut export, store)| {
            let page = export.next(&store).await.map_err(|error| {
                tracing::error!(%error, "an export of the audit log broke off");
                std::io::Error::other("the export broke off")
            })?;
            Ok(page.map(|page| (page, (export, store))))
        })
    }

    async fn next(&mut self, store: &Store) -> Result<Option<String>, Error> {
        let Some(last) = self.last else {
            return Ok(None);
        };
        let filter = &self.link.filter;
        let page =
            audit::next_lines(store.reader(), &self.viewer, filter, self.after, last).await?;
        let Some(end) = page.last() else {
            return Ok(None);
        };
        self.after = Some(end.id);
        let lines = page
            .iter()
            .map(|entry| format!("{}\n", audit::line(&self.viewer, entry)));
        Ok(Some(lines.collect()))
    }
}
