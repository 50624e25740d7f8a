//! The audit log as JSON lines, by links that `exportAuditLog` makes: for one person, for minutes.

use domain::{Error, Store, audit, viewer::Viewer};
use entity::ids::AuditEntryId;
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    web::{Data, Path},
};

use super::download::{Download, response};

/// The routes below `/audit-log`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new().at("/:token", get(fetch)).data(store)
}

#[handler]
async fn fetch(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    response(begun(store, &token).await, store)
}

struct Lines {
    filter: audit::Filter,
    viewer: Viewer,
    after: Option<AuditEntryId>,
    last: Option<AuditEntryId>,
}

async fn begun(store: &Store, token: &str) -> Result<Option<Lines>, Error> {
    let Some((link, viewer)) = audit::open(store, token).await? else {
        return Ok(None);
    };
    let mut tx = store.begin().await?;
    let last = audit::begin_export(&mut tx, &viewer, &link.to).await?;
    tx.commit().await?;
    Ok(Some(Lines {
        filter: link.to,
        viewer,
        after: None,
        last,
    }))
}

impl Download for Lines {
    const CONTENT_TYPE: &'static str = "application/jsonl; charset=utf-8";
    const WORKS_FOR: &'static str =
        "It works for minutes, and for super users and administrators alone. Have another made.";

    fn name(&self) -> String {
        "audit-log.jsonl".to_owned()
    }

    async fn next(&mut self, store: &Store) -> Result<Option<String>, Error> {
        let Some(last) = self.last else {
            return Ok(None);
        };
        let (viewer, filter) = (&self.viewer, &self.filter);
        let page = audit::next_lines(store.reader(), viewer, filter, self.after, last).await?;
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
