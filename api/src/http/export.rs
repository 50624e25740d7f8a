//! Organisations, contacts and notes as CSV, by links that `exportRecords` makes: for one person, for minutes.

use domain::{
    Error, Store,
    export::{self, Kind},
    viewer::Viewer,
};
use futures_util::stream;
use poem::{
    Body, EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Path},
};
use uuid::Uuid;

use super::pages;

/// The routes below `/exports`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new().at("/:token", get(fetch)).data(store)
}

#[handler]
async fn fetch(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match begun(store, &token).await {
        Ok(Some(file)) => Response::builder()
            .content_type("text/csv; charset=utf-8")
            .header(
                "Content-Disposition",
                format!("attachment; filename=\"{}.csv\"", file.kind.name()),
            )
            .header("Cache-Control", "no-store")
            .header("Referrer-Policy", "no-referrer")
            .body(Body::from_bytes_stream(file.lines(store.clone()))),
        Ok(None) => pages::message(
            StatusCode::NOT_FOUND,
            "This link doesn't work",
            "It works for minutes, and for whoever asked for it while they may export contacts. Ask for another.",
        ),
        Err(error) => {
            tracing::error!(%error, "records can't be exported");
            pages::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "Nothing was exported. Try again in a while.",
            )
        }
    }
}

/// An export that the log knows of.
struct File {
    kind: Kind,
    viewer: Viewer,
    /// Where it has come to; none before its first line.
    after: Option<Uuid>,
    begun: bool,
}

async fn begun(store: &Store, token: &str) -> Result<Option<File>, Error> {
    let Some((link, viewer)) = export::open(store, token).await? else {
        return Ok(None);
    };
    let mut tx = store.begin().await?;
    export::begin(&mut tx, &viewer, link.kind).await?;
    tx.commit().await?;
    Ok(Some(File {
        kind: link.kind,
        viewer,
        after: None,
        begun: false,
    }))
}

impl File {
    /// All of it, page by page, so that however long it is it needs no memory.
    fn lines(
        self,
        store: Store,
    ) -> impl futures_util::Stream<Item = Result<String, std::io::Error>> + Send + 'static {
        stream::try_unfold((self, store), async |(mut file, store)| {
            let page = file.next(&store).await.map_err(|error| {
                tracing::error!(%error, "an export broke off");
                std::io::Error::other("the export broke off")
            })?;
            Ok(page.map(|page| (page, (file, store))))
        })
    }

    async fn next(&mut self, store: &Store) -> Result<Option<String>, Error> {
        if !self.begun {
            self.begun = true;
            return export::head(self.kind).map(Some);
        }
        let (viewer, now) = (&self.viewer, store.now());
        let page = export::next(store.reader(), viewer, now, self.kind, self.after).await?;
        Ok(page.map(|(lines, last)| {
            self.after = Some(last);
            lines
        }))
    }
}
