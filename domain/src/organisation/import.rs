//! Organisations from a file: rows that are known are left alone, new ones are added, wrong ones are refused with a
//! reason, and none of it happens unless all of the file can be read.

use std::collections::{HashMap, HashSet};

use entity::{
    ids::OrganisationId,
    organisation::{self, RecordSource},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;

use super::{Profile, duplicates, name_key, new_row};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    merge,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How many rows are worth one call of [`Import::add`]: one statement looks them up, one inserts them.
pub const CHUNK: usize = 500;

/// A row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line it begins on, from 1.
    pub line: u64,
    /// What it is known by in its source.
    pub source_key: Option<String>,
    /// What it says of the organisation.
    pub profile: Profile,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// The line it begins on, from 1.
    pub line: u64,
    /// Everything that is wrong with it.
    pub reasons: Vec<String>,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// How many organisations were added.
    pub created: u64,
    /// How many rows were known already, and left alone.
    pub unchanged: u64,
    /// Rows that were not taken.
    pub refused: Vec<RefusedRow>,
    /// Pairs that are likely the same, of which at least one was added now.
    pub likely_duplicates: Vec<duplicates::Pair>,
}

/// An import in the making.
#[derive(Debug, Default)]
pub struct Import {
    created: HashSet<OrganisationId>,
    /// On which line of the file each key stands.
    lines: HashMap<String, u64>,
    unchanged: u64,
    refused: Vec<RefusedRow>,
}

/// A row that is good so far.
struct Good {
    key: String,
    profile: Profile,
}

impl Import {
    /// Nothing imported yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes some rows, best [`CHUNK`] of them.
    pub async fn add(&mut self, tx: &mut Tx, rows: Vec<Row>) -> Result<()> {
        let good: Vec<Good> = rows.into_iter().filter_map(|row| self.check(row)).collect();
        let mut known: HashSet<String> = organisation::Entity::find()
            .select_only()
            .column(organisation::Column::SourceKey)
            .filter(organisation::Column::Source.eq(RecordSource::Import))
            .filter(organisation::Column::SourceKey.is_in(good.iter().map(|row| row.key.as_str())))
            .into_tuple::<String>()
            .all(tx.conn())
            .await?
            .into_iter()
            .collect();
        // What was merged into another is known by its old key still.
        let keys = good.iter().map(|row| row.key.as_str());
        known.extend(merge::known_source_keys(tx.conn(), keys).await?);
        let mut rows = Vec::with_capacity(good.len());
        for row in good {
            if known.contains(&row.key) {
                self.unchanged += 1;
            } else {
                rows.push(new_row(
                    tx,
                    row.profile,
                    RecordSource::Import,
                    Some(row.key),
                ));
            }
        }
        self.created
            .extend(rows.iter().filter_map(|row| row.id.clone().take()));
        if !rows.is_empty() {
            organisation::Entity::insert_many(rows)
                .exec_without_returning(tx.conn())
                .await?;
        }
        Ok(())
    }

    /// Looks for likely duplicates of what was added, and writes one line of the audit log about the file.
    pub async fn finish(self, tx: &mut Tx, viewer: &Viewer, file: &str) -> Result<Outcome> {
        if !viewer.is_system() {
            return Err(Error::Forbidden(
                "Files are imported on the command line.".to_owned(),
            ));
        }
        let likely_duplicates = if self.created.is_empty() {
            Vec::new()
        } else {
            let search = duplicates::search(tx.conn(), tx.now()).await?;
            duplicates::keep(tx, &search).await?;
            search.pairs_with(&self.created)
        };
        let outcome = Outcome {
            created: self.created.len() as u64,
            unchanged: self.unchanged,
            refused: self.refused,
            likely_duplicates,
        };
        tx.audit(
            viewer,
            "organisation.import",
            file,
            None,
            Some(json!({
                "created": outcome.created,
                "unchanged": outcome.unchanged,
                "refused": outcome.refused.len(),
                "likelyDuplicates": outcome.likely_duplicates.len(),
            })),
        )
        .await?;
        Ok(outcome)
    }

    /// The row as it will be kept, or none when it was refused.
    fn check(&mut self, row: Row) -> Option<Good> {
        let mut refusals = Refusals::default();
        let profile = row.profile.checked(&mut refusals);
        let given = Text::line("sourceKey", 200).optional(row.source_key.as_deref(), &mut refusals);
        let key = given.unwrap_or_else(|| fallback_key(&profile));
        if let Some(earlier) = self.lines.get(&key) {
            refusals.add(
                RefusalCode::Taken,
                "sourceKey",
                format!("Its key {key:?} is that of line {earlier}."),
            );
        }
        match refusals.into_result() {
            Ok(()) => {
                self.lines.insert(key.clone(), row.line);
                Some(Good { key, profile })
            }
            Err(error) => {
                self.refused.push(RefusedRow {
                    line: row.line,
                    reasons: reasons(error),
                });
                None
            }
        }
    }
}

/// What a row is known by whose source has no key: its company number, or else its name.
fn fallback_key(profile: &Profile) -> String {
    profile.company_number.as_ref().map_or_else(
        || format!("name:{}", name_key(&profile.name)),
        |number| format!("number:{number}"),
    )
}

fn reasons(error: Error) -> Vec<String> {
    match error {
        Error::Refused(refusals) => refusals
            .into_iter()
            .map(|refusal| match refusal.field {
                Some("sourceKey") | None => refusal.message,
                Some(field) => format!("{field}: {}", refusal.message),
            })
            .collect(),
        other => vec![other.to_string()],
    }
}
