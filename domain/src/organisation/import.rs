//! Organisations from a file: rows that are known are left alone, new ones are added, wrong ones are refused with a
//! reason, and none of it happens unless all of the file can be read. What is new in it is compared with what there is before
//! anything is locked, since that takes long.

mod foreseen;
mod lines;

use std::{collections::HashMap, io::Read};

use chrono::{DateTime, Utc};
use csv::StringRecord;
use entity::{
    access_grant::Permission,
    organisation::{self, RecordSource},
    profile_field::Model as Field,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};

use self::{foreseen::Foreseen, lines::Lines};
use super::{
    Profile,
    duplicates::{self, ScanDuplicates},
    name_key, new_row,
};
use crate::{
    error::{RefusalCode, Refusals, Result},
    import::{
        Defined, Import, Mapping, Outcome, Reason, RefusedRow, Row, Told, reasons, record,
        table::{
            File, ImportError,
            organisations::{self, OrganisationField},
        },
    },
    merge,
    profile_field::{self, Said},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// What a row says of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationRow {
    /// What it is known by in its source.
    pub source_key: Option<String>,
    /// What it is like.
    pub profile: Profile,
}

/// An import of organisations.
#[derive(Debug, Default)]
pub struct Organisations {
    created: u64,
    lines: Lines,
    unchanged: u64,
    refused: Told<RefusedRow>,
    /// The fields that administrators defined and that are read.
    fields: Vec<Field>,
    foreseen: Foreseen,
}

/// A row that is good so far.
struct Good {
    line: u64,
    key: String,
    profile: Profile,
    said: Vec<Said>,
}

/// The fields that administrators defined and that `viewer` fills in, shared so that none of them changes meanwhile, and as files
/// name them.
pub(crate) async fn defined(tx: &Tx, viewer: &Viewer) -> Result<(Vec<Field>, Vec<Defined>)> {
    let fields = profile_field::shared(tx, profile_field::settable_by(viewer)).await?;
    let columns = columns(&fields);
    Ok((fields, columns))
}

fn columns(fields: &[Field]) -> Vec<Defined> {
    fields
        .iter()
        .map(|field| Defined {
            id: field.id,
            name: field.name.clone(),
            is_required: field.is_required,
        })
        .collect()
}

impl Import for Organisations {
    type Field = OrganisationField;
    type Says = OrganisationRow;
    type Duplicate = duplicates::Pair;

    async fn defined(&mut self, tx: &Tx, viewer: &Viewer) -> Result<Vec<Defined>> {
        let (fields, columns) = defined(tx, viewer).await?;
        self.fields = fields;
        Ok(columns)
    }

    fn read(
        mapping: &Mapping<OrganisationField>,
        row: &StringRecord,
    ) -> std::result::Result<OrganisationRow, Vec<Reason>> {
        Ok(organisations::read(mapping, row))
    }

    async fn add(&mut self, tx: &mut Tx, rows: Vec<Row<OrganisationRow>>) -> Result<()> {
        let good = self.check_all(rows);
        let known = known(tx.conn(), &good).await?;
        let mut rows = Vec::with_capacity(good.len());
        let mut said = Vec::new();
        for good in good {
            match known.get(&good.key) {
                // Nobody else wrote at the very moment of this change.
                Some(Some(since)) if self.lines.are_forgotten() && *since == tx.now() => {
                    let reason = format!("Its key {:?} stands earlier in the file.", good.key);
                    self.refused.push(RefusedRow {
                        line: good.line,
                        reasons: vec![Reason::of_row(reason)],
                    });
                    continue;
                }
                Some(_) => {
                    self.unchanged += 1;
                    continue;
                }
                None => self.created += 1,
            }
            let foreseen = self.foreseen.take(&good.key);
            let mut row = new_row(tx, good.profile, RecordSource::Import, Some(good.key));
            if let Some(id) = foreseen {
                row.id = Set(id);
            }
            if let Some(id) = row.id.clone().take() {
                said.extend(good.said.into_iter().map(|one| (id, one)));
            }
            rows.push(row);
        }
        if !rows.is_empty() {
            organisation::Entity::insert_many(rows)
                .exec_without_returning(tx.conn())
                .await?;
        }
        profile_field::say_of_new(tx, said).await
    }

    fn refuse(&mut self, row: RefusedRow) {
        self.refused.push(row);
    }

    async fn finish(
        self,
        tx: &mut Tx,
        viewer: &Viewer,
        file: &str,
    ) -> Result<Outcome<duplicates::Pair>> {
        viewer.require(Permission::EditOrganisation)?;
        let likely_duplicates = if self.created == 0 {
            Some(Told::default())
        } else {
            self.foreseen.keep(tx).await?
        };
        if likely_duplicates.is_none() {
            tx.enqueue(&ScanDuplicates::default(), None).await?;
        }
        let outcome = Outcome {
            created: self.created,
            unchanged: self.unchanged,
            refused: self.refused,
            likely_duplicates,
        };
        record(tx, viewer, "organisation.import", file, &outcome).await?;
        Ok(outcome)
    }
}

impl Organisations {
    /// An import that remembers the keys of so many rows, and compares no more than so many new ones.
    #[must_use]
    pub fn remembering(rows: usize) -> Self {
        Self {
            lines: Lines::of(rows),
            ..Self::default()
        }
    }

    /// The import of a file that was looked through, and in which what is new was compared with what there is. Nothing was locked
    /// and nothing changed. What can't be read is refused already, as far as it was looked through.
    pub async fn foreseeing<R: Read + Send>(
        self,
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        viewer: &Viewer,
        file: File<'_, R>,
    ) -> std::result::Result<Self, ImportError> {
        let fields = profile_field::in_order(profile_field::settable_by(viewer));
        let fields = fields.all(db).await.map_err(crate::Error::from)?;
        let most = self.lines.most();
        let trial = Self { fields, ..self };
        let foreseen = Foreseen::of(db, now, trial, file).await?;
        Ok(Self {
            foreseen,
            ..Self::remembering(most)
        })
    }

    /// Those of the next rows that will be kept. The others are refused.
    fn check_all(&mut self, rows: Vec<Row<OrganisationRow>>) -> Vec<Good> {
        self.lines.go_on();
        rows.into_iter().filter_map(|row| self.check(row)).collect()
    }

    /// The row as it will be kept, or none when it was refused.
    fn check(&mut self, row: Row<OrganisationRow>) -> Option<Good> {
        let mut refusals = Refusals::default();
        let mut profile = row.says.profile.checked(&mut refusals);
        let given = std::mem::take(&mut profile.fields);
        let (said, wrong) = profile_field::judged(&self.fields, None, given);
        let given =
            Text::line("sourceKey", 200).optional(row.says.source_key.as_deref(), &mut refusals);
        let key = given.unwrap_or_else(|| fallback_key(&profile));
        if let Some(earlier) = self.lines.of_key(&key) {
            refusals.add(
                RefusalCode::Taken,
                "sourceKey",
                format!("Its key {key:?} is that of line {earlier}."),
            );
        }
        let mut told = refusals
            .into_result()
            .err()
            .map(reasons)
            .unwrap_or_default();
        told.extend(wrong.into_iter().map(|wrong| match wrong.name {
            Some(name) => Reason::about(Defined::column_of(&name), wrong.message),
            None => Reason::of_row(wrong.message),
        }));
        if told.is_empty() {
            self.lines.insert(&key, row.line);
            return Some(Good {
                line: row.line,
                key,
                profile,
                said,
            });
        }
        self.refused.push(RefusedRow {
            line: row.line,
            reasons: told,
        });
        None
    }
}

/// Which of the rows' keys are known, and since when; of what was merged into another, which is known by its old key still,
/// that isn't asked.
async fn known(
    db: &impl ConnectionTrait,
    rows: &[Good],
) -> Result<HashMap<String, Option<DateTime<Utc>>>> {
    let keys = rows.iter().map(|row| row.key.as_str());
    let merged = merge::known_source_keys(db, keys.clone()).await?;
    let found: Vec<(String, DateTime<Utc>)> = organisation::Entity::find()
        .select_only()
        .columns([
            organisation::Column::SourceKey,
            organisation::Column::CreatedAt,
        ])
        .filter(organisation::Column::Source.eq(RecordSource::Import))
        .filter(organisation::Column::SourceKey.is_in(keys))
        .into_tuple()
        .all(db)
        .await?;
    let mut known: HashMap<String, Option<DateTime<Utc>>> =
        merged.into_iter().map(|key| (key, None)).collect();
    known.extend(found.into_iter().map(|(key, since)| (key, Some(since))));
    Ok(known)
}

/// What a row is known by whose source has no key: its company number, or else its name.
fn fallback_key(profile: &Profile) -> String {
    profile.company_number.as_ref().map_or_else(
        || format!("name:{}", name_key(&profile.name)),
        |number| format!("number:{number}"),
    )
}
