//! Imports that people ask for. A file waits for a worker, which imports it whole or not at all; a dry run is tried and taken
//! back, and can be run in earnest afterwards. What became of the rows is for whoever asked, and is kept for a week.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    access_grant::Permission,
    ids::{RecordImportId, UserId},
    record_import::{self, Column, RecordImportState, RecordKind},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult,
    IntoActiveModel, Iterable, PaginatorTrait, QueryFilter, QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Contacts, Line, Notes, RefusedRow, Told,
    table::{
        self, Defined, File, ImportError, Imported, Mapped, MappingError, contacts::ContactField,
        notes::NoteField, organisations::OrganisationField,
    },
};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    job::{Job, Queue},
    live::LiveEvent,
    organisation::import::{Organisations, defined},
    store::{Store, Tx},
    text::Text,
    viewer::Viewer,
};

/// How many bytes a file may have: what fits into one request in base 64. Larger ones are for the command line.
pub const MOST_BYTES: usize = 700_000;
/// How many columns can be mapped.
const MOST_MAPPED: usize = 100;
/// The longest name of a file, in characters.
const LONGEST_NAME: usize = 100;
/// How long a file and its report are kept.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);

/// A file that somebody wants imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it has.
    pub kind: RecordKind,
    /// Its name.
    pub file_name: String,
    /// What is in it.
    pub content: Vec<u8>,
    /// Which columns are which fields, where their names don't say it.
    pub mapped: Vec<Mapped>,
    /// Whether it is only tried.
    pub is_dry_run: bool,
}

/// An import, without its file.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
pub struct Asking {
    /// Its id.
    pub id: RecordImportId,
    /// What the file has.
    pub kind: RecordKind,
    /// The name of the file.
    pub file_name: String,
    /// Whether it is only tried.
    pub is_dry_run: bool,
    /// How far it is.
    pub state: RecordImportState,
    /// How many rows the file has.
    pub row_count: i32,
    /// What became of its rows.
    report: Option<serde_json::Value>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it was done.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Asking {
    /// What became of its rows; none while it waits.
    pub fn report(&self) -> Result<Option<Report>> {
        let report = self.report.clone().map(serde_json::from_value);
        Ok(report.transpose()?)
    }
}

/// What became of the rows of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How many records were added, or would be.
    pub created: u64,
    /// How many rows were known already, and left alone.
    pub unchanged: u64,
    /// Rows that were not taken.
    pub refused: Told<RefusedRow>,
    /// What was added and is likely the same as something else, in sentences.
    pub likely_duplicates: Told<String>,
    /// The columns that were not read.
    pub ignored: Vec<String>,
    /// Why the file was refused as a whole.
    pub failure: Option<String>,
}

/// Imports a file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ImportRecords {
    /// The import.
    pub import_id: RecordImportId,
}

impl Job for ImportRecords {
    const KIND: &'static str = "records.import";
    const QUEUE: Queue = Queue::Housekeeping;
    const MAX_ATTEMPTS: i32 = 3;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.import_id))
    }
}

/// Who may add such records one by one may import a file of them.
const fn permission(kind: RecordKind) -> Permission {
    match kind {
        RecordKind::Organisations | RecordKind::Contacts => Permission::EditOrganisation,
        RecordKind::Notes => Permission::RecordEngagement,
    }
}

/// The imports that exist for `viewer`: their own.
fn visible(viewer: &Viewer) -> Select<record_import::Entity> {
    let own = viewer.user_id().unwrap_or(UserId(uuid::Uuid::nil()));
    record_import::Entity::find().filter(Column::RequestedBy.eq(own))
}

/// Those of the imports that exist for `viewer`.
pub async fn find(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[RecordImportId],
) -> Result<Vec<Asking>> {
    Ok(visible(viewer)
        .filter(Column::Id.is_in(ids.iter().copied()))
        .select_only()
        .columns(Column::iter().filter(|column| !matches!(column, Column::Content)))
        .into_model::<Asking>()
        .all(db)
        .await?)
}

/// Takes a file to be imported. What is wrong with it as a whole is said at once; what is wrong with its rows, in its report.
pub async fn ask(tx: &mut Tx, viewer: &Viewer, asked: Asked) -> Result<Asking> {
    viewer.require(permission(asked.kind))?;
    let requested_by = viewer.signed_in()?.id;
    let mut refusals = Refusals::default();
    let file_name = Text::line("fileName", LONGEST_NAME).required(&asked.file_name, &mut refusals);
    refusals.add_if(
        asked.mapped.len() > MOST_MAPPED,
        RefusalCode::TooLong,
        "mapping",
        "No file has so many columns that are read.",
    );
    if asked.content.len() > MOST_BYTES {
        let message = format!(
            "The file has {} bytes, and at most {MOST_BYTES} are imported at once: cut it into parts, each with the header, or have it imported on the command line.",
            asked.content.len()
        );
        refusals.add(RefusalCode::TooLong, "file", message);
    }
    refusals.into_result()?;
    let own = match asked.kind {
        RecordKind::Organisations => defined(tx, viewer).await?.1,
        RecordKind::Contacts | RecordKind::Notes => Vec::new(),
    };
    let rows = look(&asked, &own).map_err(as_refusal)?;
    refuse_another(tx, requested_by).await?;
    let row = record_import::ActiveModel {
        id: Set(RecordImportId::new_at(tx.now())),
        kind: Set(asked.kind),
        file_name: Set(file_name),
        mapping: Set(serde_json::to_value(&asked.mapped)?),
        is_dry_run: Set(asked.is_dry_run),
        state: Set(RecordImportState::Waiting),
        row_count: Set(i32::try_from(rows).unwrap_or(i32::MAX)),
        content: Set(Some(asked.content)),
        report: Set(None),
        requested_by: Set(requested_by),
        requested_at: Set(tx.now()),
        finished_at: Set(None),
        expires_at: Set(tx.now() + KEPT_FOR),
    };
    let row = row.insert(tx.conn()).await?;
    begin(tx, viewer, row).await
}

/// Runs in earnest what was tried.
pub async fn run(tx: &mut Tx, viewer: &Viewer, id: RecordImportId) -> Result<Asking> {
    let row = visible(viewer)
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("importId", "import"))?;
    viewer.require(permission(row.kind))?;
    if row.state != RecordImportState::Done || !row.is_dry_run || row.content.is_none() {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "importId",
            "Only what was tried is run in earnest, once: hand the file in again.",
        ));
    }
    refuse_another(tx, row.requested_by).await?;
    let mut row = row.into_active_model();
    row.is_dry_run = Set(false);
    row.state = Set(RecordImportState::Waiting);
    row.report = Set(None);
    row.requested_at = Set(tx.now());
    row.finished_at = Set(None);
    let row = row.update(tx.conn()).await?;
    begin(tx, viewer, row).await
}

/// One at a time: files are large.
async fn refuse_another(tx: &Tx, requested_by: UserId) -> Result<()> {
    tx.hold(&format!("import/{requested_by}")).await?;
    let waiting = record_import::Entity::find()
        .filter(Column::RequestedBy.eq(requested_by))
        .filter(Column::State.eq(RecordImportState::Waiting))
        .count(tx.conn())
        .await?;
    if waiting == 0 {
        return Ok(());
    }
    Err(Error::refused(
        RefusalCode::WrongState,
        "file",
        "Another import of yours is not over yet: wait for it.",
    ))
}

async fn begin(tx: &mut Tx, viewer: &Viewer, row: record_import::Model) -> Result<Asking> {
    tx.enqueue(&ImportRecords { import_id: row.id }, None)
        .await?;
    let what = json!({ "kind": row.kind, "rows": row.row_count, "isDryRun": row.is_dry_run });
    tx.audit(viewer, "import.ask", row.id, None, Some(what))
        .await?;
    Ok(Asking {
        id: row.id,
        kind: row.kind,
        file_name: row.file_name,
        is_dry_run: row.is_dry_run,
        state: row.state,
        row_count: row.row_count,
        report: row.report,
        requested_at: row.requested_at,
        finished_at: row.finished_at,
    })
}

/// Whether the columns fit, and how many rows there are.
fn look(asked: &Asked, defined: &[Defined]) -> std::result::Result<u64, ImportError> {
    let (content, mapped) = (asked.content.as_slice(), asked.mapped.as_slice());
    match asked.kind {
        RecordKind::Organisations => table::look::<OrganisationField>(content, mapped, defined),
        RecordKind::Contacts => table::look::<ContactField>(content, mapped, defined),
        RecordKind::Notes => table::look::<NoteField>(content, mapped, defined),
    }
}

fn as_refusal(error: ImportError) -> Error {
    match error {
        ImportError::Domain(error) => error,
        ImportError::Columns(MappingError::NeedsField { field, columns }) => Error::refused(
            RefusalCode::Invalid,
            "mapping",
            format!(
                "No column is known to hold the {field}: say which in `mapping`. The columns are {columns}."
            ),
        ),
        ImportError::Columns(wrong) => {
            Error::refused(RefusalCode::Invalid, "mapping", sentence(&wrong))
        }
        wrong => Error::refused(RefusalCode::Invalid, "file", sentence(&wrong)),
    }
}

/// What is wrong, as a sentence.
fn sentence(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// Imports the file, or tries it, and writes down what became of it. Answers the change, which is to be committed. An error is
/// a fault of ours; unless it `is_last`, it may be tried again.
pub async fn carry_out(store: &Store, id: RecordImportId, is_last: bool) -> Result<Tx> {
    let asked = record_import::Entity::find_by_id(id)
        .filter(Column::State.eq(RecordImportState::Waiting))
        .one(store.reader())
        .await?;
    let Some(row) = asked else {
        return store.begin().await;
    };
    let tell = |rows: u64| {
        let event = LiveEvent::ImportProgress {
            import_id: id,
            rows,
        };
        store.signals().committed(Vec::new(), vec![event]);
    };
    let prepared = Prepared::of(store, &row).await;
    let mut tx = store.begin().await?;
    let imported = match prepared {
        Ok(prepared) => Box::pin(prepared.import(&mut tx, &row, tell)).await,
        Err(error) => Err(error),
    };
    let (report, state) = match imported {
        Ok(report) => (report, RecordImportState::Done),
        Err(ImportError::Domain(error @ (Error::Database(_) | Error::Fault(_)))) if !is_last => {
            return Err(error);
        }
        Err(error) => {
            let failure = match &error {
                ImportError::Domain(Error::Database(_) | Error::Fault(_)) => {
                    "The system failed. Nothing was imported; hand the file in again.".to_owned()
                }
                other => sentence(other),
            };
            let failure = Some(failure);
            let report = Report {
                failure,
                ..Report::default()
            };
            (report, RecordImportState::Refused)
        }
    };
    let is_kept = state == RecordImportState::Done && !row.is_dry_run;
    if !is_kept {
        drop(tx);
        tx = store.begin().await?;
    }
    let rows = u64::try_from(row.row_count).unwrap_or(0);
    let is_dry_run = row.is_dry_run;
    let mut row = row.into_active_model();
    row.state = Set(state);
    row.report = Set(Some(serde_json::to_value(&report)?));
    row.finished_at = Set(Some(tx.now()));
    if !is_dry_run {
        row.content = Set(None);
    }
    row.update(tx.conn()).await?;
    tx.announce(LiveEvent::ImportProgress {
        import_id: id,
        rows,
    });
    Ok(tx)
}

/// An import that can begin: what takes long was done, and nothing is locked yet.
struct Prepared {
    mapped: Vec<Mapped>,
    /// None where the file has no organisations.
    organisations: Option<Organisations>,
}

impl Prepared {
    async fn of(
        store: &Store,
        row: &record_import::Model,
    ) -> std::result::Result<Self, ImportError> {
        let (db, now) = (store.reader(), store.now());
        let viewer = importer(db, row, now).await?;
        let mapped: Vec<Mapped> =
            serde_json::from_value(row.mapping.clone()).map_err(Error::from)?;
        let organisations = match row.kind {
            RecordKind::Organisations => {
                let file = file(row, &mapped);
                let import = Organisations::default();
                Some(import.foreseeing(db, now, &viewer, file).await?)
            }
            RecordKind::Contacts | RecordKind::Notes => None,
        };
        Ok(Self {
            mapped,
            organisations,
        })
    }

    async fn import(
        self,
        tx: &mut Tx,
        row: &record_import::Model,
        tell: impl FnMut(u64) + Send,
    ) -> std::result::Result<Report, ImportError> {
        let viewer = &importer(tx.conn(), row, tx.now()).await?;
        let file = file(row, &self.mapped);
        match row.kind {
            RecordKind::Organisations => {
                let import = self.organisations.unwrap_or_default();
                report(table::import(tx, viewer, file, import, tell)).await
            }
            RecordKind::Contacts => {
                let import = Contacts::by(viewer.clone());
                report(table::import(tx, viewer, file, import, tell)).await
            }
            RecordKind::Notes => {
                let import = Notes::by(viewer.clone(), None);
                report(table::import(tx, viewer, file, import, tell)).await
            }
        }
    }
}

/// Whoever asked for an import, with the rights that they have by now: they may have changed since.
async fn importer(
    db: &impl ConnectionTrait,
    row: &record_import::Model,
    now: DateTime<Utc>,
) -> Result<Viewer> {
    let viewer = Viewer::load(db, row.requested_by, None, now)
        .await?
        .unwrap_or_else(Viewer::anonymous);
    viewer.require(permission(row.kind))?;
    Ok(viewer)
}

fn file<'a>(row: &'a record_import::Model, mapped: &'a [Mapped]) -> File<'a, &'a [u8]> {
    File {
        name: row.file_name.as_str().into(),
        content: row.content.as_deref().unwrap_or_default(),
        mapped,
    }
}

async fn report<D: Line>(
    importing: impl Future<Output = std::result::Result<Imported<D>, ImportError>> + Send,
) -> std::result::Result<Report, ImportError> {
    let imported = importing.await?;
    let outcome = imported.outcome;
    // No file of so many bytes has so many rows that they are not compared.
    let alike = outcome.likely_duplicates.unwrap_or_default();
    Ok(Report {
        created: outcome.created,
        unchanged: outcome.unchanged,
        refused: outcome.refused,
        likely_duplicates: Told {
            first: alike.first.iter().map(Line::line).collect(),
            count: alike.count,
        },
        ignored: imported.ignored,
        failure: None,
    })
}
