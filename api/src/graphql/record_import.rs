//! Files of organisations, contacts and notes that operators import (policy 2.2).

use std::collections::HashMap;

use async_graphql::{
    Context, Enum, InputObject, Object, Result, SimpleObject, Subscription, dataloader::Loader,
};
use chrono::{DateTime, Utc};
use domain::{
    Error,
    import::{
        RefusedRow,
        desk::{self, Asked, Asking, Report},
        table::Mapped,
    },
    live::LiveEvent,
    session,
};
use entity::{
    ids::RecordImportId,
    record_import::{RecordImportState as State, RecordKind as Kind},
};
use futures_util::{Stream, StreamExt, stream};

use super::{
    begin,
    errors::{Payload, payload},
    file::decoded,
    id::Id,
    organisation::related::few,
    rows::{LoadError, Rows, rows},
    store, viewer,
};

/// Mutations about imports.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordImportMutation;

/// Subscriptions to imports.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordImportSubscription;

/// What a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum RecordKind {
    /// Organisations.
    Organisations,
    /// Contacts of organisations that are there already.
    Contacts,
    /// Notes on organisations that are there already.
    Notes,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum RecordImportState {
    /// It waits for a worker, or one is at it.
    Waiting,
    /// It is done, or has been tried.
    Done,
    /// The file was refused as a whole; `failure` says why.
    Refused,
}

/// An import of a file, and how many of its rows were read so far.
#[derive(Clone, Debug)]
pub struct RecordImport {
    row: Asking,
    read: Option<u64>,
}

impl From<Asking> for RecordImport {
    fn from(row: Asking) -> Self {
        Self { row, read: None }
    }
}

impl RecordImport {
    fn of_report<T>(&self, of: impl FnOnce(Report) -> T) -> Option<Result<T>> {
        let report = self.row.report().map_err(Into::into);
        report.map(|report| report.map(of)).transpose()
    }
}

/// A file that somebody imports, and what became of its rows. It is theirs alone, and kept for a week.
#[Object]
impl RecordImport {
    /// Its id.
    pub async fn id(&self) -> Id<RecordImportId> {
        Id(self.row.id)
    }

    /// What the file has.
    async fn kind(&self) -> Option<RecordKind> {
        Some(self.row.kind.into())
    }

    /// The name of the file.
    async fn file_name(&self) -> Option<&str> {
        Some(&self.row.file_name)
    }

    /// Whether it is only tried: `runImport` does it in earnest.
    async fn is_dry_run(&self) -> Option<bool> {
        Some(self.row.is_dry_run)
    }

    /// How far it is.
    async fn state(&self) -> Option<RecordImportState> {
        Some(self.row.state.into())
    }

    /// How many rows the file has.
    async fn row_count(&self) -> Option<i32> {
        Some(self.row.row_count)
    }

    /// How many of them were read so far. Known to those who watch `importProgress`; else null until it is over.
    async fn rows_read(&self) -> Option<u64> {
        let is_done = self.row.state == State::Done;
        let all = u64::try_from(self.row.row_count).ok();
        self.read.or_else(|| all.filter(|_| is_done))
    }

    /// How many records were added, or would be; null while it waits.
    async fn created(&self) -> Option<Result<u64>> {
        self.of_report(|report| report.created)
    }

    /// How many rows were known already: an import leaves what is there as it is.
    async fn unchanged(&self) -> Option<Result<u64>> {
        self.of_report(|report| report.unchanged)
    }

    /// How many rows were refused. The others were taken.
    async fn refused_count(&self) -> Option<Result<u64>> {
        self.of_report(|report| report.refused.count)
    }

    /// The rows that were refused, in their order: the first thousand are told, page by page.
    async fn refused_rows(
        &self,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Only those after this line of the file.")] after_line: Option<u64>,
    ) -> Option<Result<Vec<RefusedImportRow>>> {
        let few = match few(first) {
            Ok(few) => usize::try_from(few).unwrap_or(0),
            Err(error) => return Some(Err(error)),
        };
        self.of_report(|report| {
            let told = report.refused.first.into_iter();
            told.filter(|row| after_line.is_none_or(|line| row.line > line))
                .take(few)
                .map(Into::into)
                .collect()
        })
    }

    /// How many were added and are likely the same as something else.
    async fn likely_duplicate_count(&self) -> Option<Result<u64>> {
        self.of_report(|report| report.likely_duplicates.count)
    }

    /// What was added and is likely the same as something else, and why, in sentences.
    async fn likely_duplicates(
        &self,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<String>>> {
        let few = match few(first) {
            Ok(few) => usize::try_from(few).unwrap_or(0),
            Err(error) => return Some(Err(error)),
        };
        self.of_report(|report| {
            let told = report.likely_duplicates.first.into_iter();
            told.take(few).collect()
        })
    }

    /// The columns that were not read.
    async fn ignored_columns(&self) -> Option<Result<Vec<String>>> {
        self.of_report(|report| report.ignored)
    }

    /// Why the file was refused as a whole, and nothing of it imported.
    async fn failure(&self) -> Option<Result<String>> {
        let report = self.row.report().map_err(Into::into);
        report
            .map(|report| report.and_then(|report| report.failure))
            .transpose()
    }

    /// When it was asked for.
    async fn requested_at(&self) -> Option<DateTime<Utc>> {
        Some(self.row.requested_at)
    }

    /// When it was over.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.row.finished_at
    }
}

/// A row that was refused.
#[derive(Clone, Debug, SimpleObject)]
pub struct RefusedImportRow {
    /// The line of the file that it begins on, from 1.
    line: Option<u64>,
    /// Everything that is wrong with it.
    problems: Option<Vec<ImportProblem>>,
}

/// Something that is wrong with a row.
#[derive(Clone, Debug, SimpleObject)]
pub struct ImportProblem {
    /// The field that it is about, such as `organisation` or `email`; null when it is about the row.
    column: Option<String>,
    /// What is wrong, and what to do about it.
    message: Option<String>,
}

impl From<RefusedRow> for RefusedImportRow {
    fn from(row: RefusedRow) -> Self {
        let problems = row.reasons.into_iter().map(|reason| ImportProblem {
            column: reason.column,
            message: Some(reason.message),
        });
        Self {
            line: Some(row.line),
            problems: Some(problems.collect()),
        }
    }
}

/// Which column a field is read from.
#[derive(Debug, InputObject)]
pub struct ImportColumnInput {
    /// The field: `name`, `organisation_id`, `happened_at` and so on.
    field: String,
    /// The header of the column.
    column: String,
}

/// A file to be imported.
#[derive(Debug, InputObject)]
pub struct ImportRecordsInput {
    /// What it has.
    kind: RecordKind,
    /// Its name.
    file_name: String,
    /// The file in base 64: CSV in UTF-8 with a header, at most 700 kB.
    file: String,
    /// Which columns are which fields. Columns with well-known names need none of it.
    #[graphql(default)]
    mapping: Vec<ImportColumnInput>,
    /// Report what would happen, and change nothing.
    #[graphql(default)]
    dry_run: bool,
}

impl ImportRecordsInput {
    fn into_asked(self) -> domain::Result<Asked> {
        let content = decoded("file", &self.file)?;
        let mapped = self.mapping.into_iter().map(|column| Mapped {
            field: column.field,
            column: column.column,
        });
        Ok(Asked {
            kind: self.kind.into(),
            file_name: self.file_name,
            content,
            mapped: mapped.collect(),
            is_dry_run: self.dry_run,
        })
    }
}

/// What was tried, to be done in earnest.
#[derive(Debug, InputObject)]
pub struct RunImportInput {
    /// An import that was a dry run.
    import_id: Id<RecordImportId>,
}

payload! {
    /// What became of handing in a file.
    ImportRecordsPayload {
        /// The import, which waits for a worker: watch `importProgress`, or ask for it by its id.
        import: RecordImport,
    }
}

payload! {
    /// What became of running in earnest what was tried.
    RunImportPayload {
        /// The import, which waits for a worker again.
        import: RecordImport,
    }
}

/// The import with this id, if it is the viewer's.
pub async fn find(ctx: &Context<'_>, id: RecordImportId) -> Result<Option<RecordImport>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Into::into))
}

impl Loader<RecordImportId> for Rows {
    type Value = Asking;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[RecordImportId],
    ) -> Result<HashMap<RecordImportId, Asking>, LoadError> {
        let found = desk::find(self.store.reader(), &self.viewer, ids).await?;
        Ok(found.into_iter().map(|row| (row.id, row)).collect())
    }
}

#[Object]
impl RecordImportMutation {
    /// Takes a file of organisations, contacts or notes to be imported, or tried. A file is imported whole or not at all; of
    /// its rows those that can't be kept are refused, and what is known is left as it is.
    async fn import_records(
        &self,
        ctx: &Context<'_>,
        input: ImportRecordsInput,
    ) -> Result<ImportRecordsPayload> {
        let asked = match input.into_asked() {
            Ok(asked) => asked,
            Err(error) => return ImportRecordsPayload::of::<RecordImport>(Err(error)),
        };
        let mut tx = begin(ctx).await?;
        let taken = Box::pin(desk::ask(&mut tx, viewer(ctx)?, asked)).await;
        ImportRecordsPayload::commit(tx, taken).await
    }

    /// Runs in earnest what was tried, with the file that was handed in for it.
    async fn run_import(
        &self,
        ctx: &Context<'_>,
        input: RunImportInput,
    ) -> Result<RunImportPayload> {
        let mut tx = begin(ctx).await?;
        let taken = Box::pin(desk::run(&mut tx, viewer(ctx)?, input.import_id.0)).await;
        RunImportPayload::commit(tx, taken).await
    }
}

#[Subscription]
impl RecordImportSubscription {
    /// The import as it is, and again whenever some hundred more of its rows were read and when it is over.
    async fn import_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The import to watch.")] import_id: Id<RecordImportId>,
    ) -> Result<impl Stream<Item = Result<Option<RecordImport>>> + use<>> {
        let (store, asker) = (store(ctx)?.clone(), viewer(ctx)?.clone());
        let watched = import_id.0;
        // Before the first look at the database, so that nothing is missed in between.
        let heard = store.signals().subscribe().filter_map(move |event| {
            let read = match event {
                LiveEvent::ImportProgress { import_id, rows } if import_id == watched => Some(rows),
                _ => None,
            };
            std::future::ready(read)
        });
        let found = desk::find(store.reader(), &asker, &[watched]).await?;
        let Some(found) = found.into_iter().next() else {
            return Err(Error::not_found("importId", "import").into());
        };
        let now = stream::once(std::future::ready(Ok(Some(found.into()))));
        Ok(now.chain(heard.filter_map(move |rows| {
            let (store, asker) = (store.clone(), asker.clone());
            async move {
                // Rights may have changed since the subscription began.
                let now = match session::still_signed_in(&store, &asker).await {
                    Ok(now) => now,
                    Err(error) => return Some(Err(error.into())),
                };
                match desk::find(store.reader(), &now, &[watched]).await {
                    Ok(found) => found.into_iter().next().map(|row| {
                        let read = Some(rows);
                        Ok(Some(RecordImport { row, read }))
                    }),
                    Err(error) => Some(Err(error.into())),
                }
            }
        })))
    }
}
