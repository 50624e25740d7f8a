//! Organisations, contacts and notes as CSV, by links that `exportRecords` makes: for one person, for minutes.

use domain::{
    Error, Store,
    export::{self, Begun},
    viewer::Viewer,
};
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    web::{Data, Path},
};
use uuid::Uuid;

use super::download::{Download, response};

/// The routes below `/exports`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new().at("/:token", get(fetch)).data(store)
}

#[handler]
async fn fetch(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    response(begun(store, &token).await, store)
}

struct Records {
    export: Begun,
    viewer: Viewer,
    /// Where it has come to; none before its first line.
    after: Option<Uuid>,
    begun: bool,
}

async fn begun(store: &Store, token: &str) -> Result<Option<Records>, Error> {
    let Some((link, viewer)) = export::open(store, token).await? else {
        return Ok(None);
    };
    let mut tx = store.begin().await?;
    let export = export::begin(&mut tx, &viewer, link.to).await?;
    tx.commit().await?;
    Ok(Some(Records {
        export,
        viewer,
        after: None,
        begun: false,
    }))
}

impl Download for Records {
    const CONTENT_TYPE: &'static str = "text/csv; charset=utf-8";
    const WORKS_FOR: &'static str = "It works for minutes, and for whoever asked for it while they may export contacts. Ask for another.";

    fn name(&self) -> String {
        format!("{}.csv", self.export.kind.name())
    }

    async fn next(&mut self, store: &Store) -> Result<Option<String>, Error> {
        if !self.begun {
            self.begun = true;
            return export::head(&self.export).map(Some);
        }
        let (viewer, now) = (&self.viewer, store.now());
        let page = export::next(store.reader(), viewer, now, &self.export, self.after).await?;
        Ok(page.map(|(lines, last)| {
            self.after = Some(last);
            lines
        }))
    }
}
