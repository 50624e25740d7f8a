//! Records from a file: what organisations, contacts and notes have in common.

mod contacts;
pub mod desk;
mod line;
mod notes;
mod place;
pub mod table;

use std::{fmt, future::Future};

use csv::StringRecord;
use serde::{Deserialize, Serialize};

pub use self::{
    contacts::{Alike, ContactRow, Contacts, Why},
    line::Line,
    notes::{Never, NoteRow, Notes},
    place::Where,
    table::{Defined, Field, Mapping},
};
use crate::{
    error::{Error, Result},
    store::Tx,
    viewer::Viewer,
};

/// How many rows are worth one call of [`Import::add`]: one statement looks them up, one inserts them.
pub const CHUNK: usize = 500;

/// How many rows are told one by one that were refused, or are likely duplicates. The others are counted: a file may be wrong
/// from beginning to end, however long it is.
const MOST_TOLD: usize = 1_000;

/// A row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<R> {
    /// The line it begins on, from 1.
    pub line: u64,
    /// What it says.
    pub says: R,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// The line it begins on, from 1.
    pub line: u64,
    /// Everything that is wrong with it.
    pub reasons: Vec<Reason>,
}

/// Something that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The field that it is about, as files name it; none when it is about the row.
    pub column: Option<String>,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl Reason {
    /// About the row as a whole.
    pub(crate) fn of_row(message: impl Into<String>) -> Self {
        Self {
            column: None,
            message: message.into(),
        }
    }

    /// About one field.
    pub(crate) fn about(column: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            column: Some(column.into()),
            message: message.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "{column}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// What an import did.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<D> {
    /// How many records were added.
    pub created: u64,
    /// How many rows were known already, and left alone.
    pub unchanged: u64,
    /// Rows that were not taken.
    pub refused: Told<RefusedRow>,
    /// What was added and is likely the same as something else; none when so much was added that a search of its own looks for
    /// it afterwards.
    pub likely_duplicates: Option<Told<D>>,
}

/// A list that is told up to a number, and counted beyond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told<T> {
    /// The first of them.
    pub first: Vec<T>,
    /// How many there are.
    pub count: u64,
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self {
            first: Vec::new(),
            count: 0,
        }
    }
}

impl<T> Told<T> {
    /// Another one.
    pub(crate) fn push(&mut self, item: T) {
        self.count += 1;
        if self.first.len() < MOST_TOLD {
            self.first.push(item);
        }
    }
}

impl<T> FromIterator<T> for Told<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut told = Self::default();
        for item in items {
            told.push(item);
        }
        told
    }
}

/// An import in the making, of one kind of record. Nothing of it has happened until its change commits.
pub trait Import: Send {
    /// The columns that are read.
    type Field: Field;
    /// What a row says of a record.
    type Says: Send;
    /// How something that is likely a duplicate is told.
    type Duplicate;

    /// The fields that administrators defined and that are read too: none, where records have no such fields.
    fn defined(&mut self, _: &Tx, _: &Viewer) -> impl Future<Output = Result<Vec<Defined>>> + Send {
        async { Ok(Vec::new()) }
    }

    /// What a row of a table says, or what can't be understood in it.
    fn read(
        mapping: &Mapping<Self::Field>,
        row: &StringRecord,
    ) -> std::result::Result<Self::Says, Vec<Reason>>;

    /// Takes some rows, best [`CHUNK`] of them.
    fn add(
        &mut self,
        tx: &mut Tx,
        rows: Vec<Row<Self::Says>>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Takes note of a row that can't be understood.
    fn refuse(&mut self, row: RefusedRow);

    /// Ends it, and writes one line of the audit log about the file.
    fn finish(
        self,
        tx: &mut Tx,
        viewer: &Viewer,
        file: &str,
    ) -> impl Future<Output = Result<Outcome<Self::Duplicate>>> + Send;
}

/// Writes a line of the audit log about a file: how many rows became what, and nothing that they say.
pub(crate) async fn record<D: Sync>(
    tx: &mut Tx,
    viewer: &Viewer,
    action: &'static str,
    file: &str,
    outcome: &Outcome<D>,
) -> Result<()> {
    let what = serde_json::json!({
        "created": outcome.created,
        "unchanged": outcome.unchanged,
        "refused": outcome.refused.count,
        "likelyDuplicates": outcome.likely_duplicates.as_ref().map(|told| told.count),
    });
    tx.audit(viewer, action, file, None, Some(what)).await
}

/// Why a row was refused, for people.
pub(crate) fn reasons(error: Error) -> Vec<Reason> {
    match error {
        Error::Refused(refusals) => refusals
            .into_iter()
            .map(|refusal| match refusal.field {
                Some("sourceKey") | None => Reason::of_row(refusal.message),
                Some(field) => Reason::about(column(field), refusal.message),
            })
            .collect(),
        other => vec![Reason::of_row(other.to_string())],
    }
}

/// The name of a field as files have it: `job_title` is `jobTitle` in the API.
fn column(field: &str) -> String {
    let mut column = String::with_capacity(field.len() + 4);
    for c in field.chars() {
        if c.is_ascii_uppercase() {
            column.push('_');
        }
        column.push(c.to_ascii_lowercase());
    }
    column
}
