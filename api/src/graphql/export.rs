//! Organisations, contacts and notes as files, for whoever may export contacts (policy 3).

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::export::{self, Kind};

use super::{
    errors::{Payload, payload},
    store, viewer,
};

/// Mutations about exports.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportMutation;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum ExportKind {
    /// Organisations.
    Organisations,
    /// Contacts, with whether they may be sent mail.
    Contacts,
    /// Notes.
    Notes,
}

/// What is to be exported.
#[derive(Debug, InputObject)]
pub struct ExportRecordsInput {
    /// What.
    kind: ExportKind,
}

/// Where an export is, and what is in it.
#[derive(Debug, SimpleObject)]
pub struct RecordsExport {
    /// The path to get it from, as CSV. It works for minutes, as long as whoever asked for it may export contacts.
    url: String,
    /// Until when it works.
    expires_at: DateTime<Utc>,
    /// How many rows it has.
    rows: u64,
    /// How many contacts are left out, because the viewer must liaise first.
    left_out: u64,
}

payload! {
    /// What became of asking for an export.
    ExportRecordsPayload {
        /// Where it is.
        export: RecordsExport,
    }
}

#[Object]
impl ExportMutation {
    /// Makes a link from which organisations, contacts or notes can be had as CSV. Contacts before whom the viewer must liaise
    /// are left out. That it was fetched, and how many rows it had, is in the log.
    async fn export_records(
        &self,
        ctx: &Context<'_>,
        input: ExportRecordsInput,
    ) -> Result<ExportRecordsPayload> {
        let made = export::link(store(ctx)?, viewer(ctx)?, input.kind.into()).await;
        ExportRecordsPayload::of(made.map(|(url, link, extent)| RecordsExport {
            url,
            expires_at: link.expires_at,
            rows: extent.rows,
            left_out: extent.left_out,
        }))
    }
}
