//! Organisations from a file: rows that are known are left alone, new ones are added, wrong ones are refused with a
//! reason, and none of it happens unless all of the file can be read.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;
use entity::{
    access_grant::Permission,
    ids::OrganisationId,
    organisation::{self, RecordSource},
    profile_field::Model as Field,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{Profile, duplicates, name_key, new_row};
use crate::{
    error::{RefusalCode, Refusals, Result},
    import::{
        Defined, Import, Mapping, Outcome, Reason, RefusedRow, Row, Told, reasons, record,
        table::organisations::{self, OrganisationField},
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
    created: HashSet<OrganisationId>,
    /// On which line of the file each key stands.
    lines: HashMap<String, u64>,
    unchanged: u64,
    refused: Told<RefusedRow>,
    /// The fields that administrators defined and that are read.
    fields: Vec<Field>,
}

/// A row that is good so far.
struct Good {
    key: String,
    profile: Profile,
    said: Vec<Said>,
}

/// The fields that administrators defined and that `viewer` fills in, shared so that none of them changes meanwhile, and as files
/// name them.
pub(crate) async fn defined(tx: &Tx, viewer: &Viewer) -> Result<(Vec<Field>, Vec<Defined>)> {
    let fields = profile_field::shared(tx, profile_field::settable_by(viewer)).await?;
    let columns = fields
        .iter()
        .map(|field| Defined {
            id: field.id,
            name: field.name.clone(),
            is_required: field.is_required,
        })
        .collect();
    Ok((fields, columns))
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
        let mut said = Vec::new();
        for good in good {
            if known.contains(&good.key) {
                self.unchanged += 1;
                continue;
            }
            let row = new_row(tx, good.profile, RecordSource::Import, Some(good.key));
            if let Some(id) = row.id.clone().take() {
                self.created.insert(id);
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
        let likely_duplicates = if self.created.is_empty() {
            Told::default()
        } else {
            let search = duplicates::Search::among_all(tx.conn(), tx.now()).await?;
            search.keep(tx).await?;
            search.pairs_with(&self.created).into_iter().collect()
        };
        let outcome = Outcome {
            created: self.created.len() as u64,
            unchanged: self.unchanged,
            refused: self.refused,
            likely_duplicates,
        };
        record(tx, viewer, "organisation.import", file, &outcome).await?;
        Ok(outcome)
    }
}

impl Organisations {
    /// The row as it will be kept, or none when it was refused.
    fn check(&mut self, row: Row<OrganisationRow>) -> Option<Good> {
        let mut refusals = Refusals::default();
        let mut profile = row.says.profile.checked(&mut refusals);
        let given = std::mem::take(&mut profile.fields);
        let (said, wrong) = profile_field::judged(&self.fields, None, given);
        let given =
            Text::line("sourceKey", 200).optional(row.says.source_key.as_deref(), &mut refusals);
        let key = given.unwrap_or_else(|| fallback_key(&profile));
        if let Some(earlier) = self.lines.get(&key) {
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
            self.lines.insert(key.clone(), row.line);
            return Some(Good { key, profile, said });
        }
        self.refused.push(RefusedRow {
            line: row.line,
            reasons: told,
        });
        None
    }
}

/// What a row is known by whose source has no key: its company number, or else its name.
fn fallback_key(profile: &Profile) -> String {
    profile.company_number.as_ref().map_or_else(
        || format!("name:{}", name_key(&profile.name)),
        |number| format!("number:{number}"),
    )
}
