//! The history of a record: who changed what of it, and when.

use std::{collections::HashMap, hash::Hash};

use async_graphql::{Context, Object, Result, SimpleObject, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::history::{self, RecordChange as Change};
use entity::ids::{ContactId, OrganisationId};

use super::{
    organisation::related::few,
    person::{self, Person},
    rows::{LoadError, Rows, rows},
};

/// A change of a record.
#[derive(Clone, Debug)]
pub struct RecordChange(Change);

/// A change of a record: who did it, when, and what it changed.
#[Object]
impl RecordChange {
    /// When.
    async fn at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.at)
    }

    /// Who; null for the system itself.
    async fn by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.by?).await.transpose()
    }

    /// What was done, as the audit log calls it: `organisation.update`.
    async fn action(&self) -> Option<&str> {
        Some(&self.0.action)
    }

    /// The fields that were changed; empty when erasure took the details out.
    async fn fields(&self) -> Option<Vec<ChangedField>> {
        Some(
            self.0
                .fields
                .iter()
                .map(|field| ChangedField {
                    field: Some(field.field.clone()),
                    before: field.before.clone(),
                    after: field.after.clone(),
                })
                .collect(),
        )
    }
}

/// A field that was changed.
#[derive(Clone, Debug, SimpleObject)]
pub struct ChangedField {
    /// Its name in this API.
    field: Option<String>,
    /// What it was, in words; null when it was empty.
    before: Option<String>,
    /// What it became, in words; null when it was emptied.
    after: Option<String>,
}

/// The last changes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ChangesOf<I>(I, u64);

pub(super) async fn of_organisation(
    ctx: &Context<'_>,
    id: OrganisationId,
    first: i32,
) -> Result<Vec<RecordChange>> {
    let found = rows(ctx)?.load_one(ChangesOf(id, few(first)?)).await?;
    Ok(wrapped(found))
}

pub(super) async fn of_contact(
    ctx: &Context<'_>,
    id: ContactId,
    first: i32,
) -> Result<Vec<RecordChange>> {
    let found = rows(ctx)?.load_one(ChangesOf(id, few(first)?)).await?;
    Ok(wrapped(found))
}

fn wrapped(found: Option<Vec<Change>>) -> Vec<RecordChange> {
    found
        .unwrap_or_default()
        .into_iter()
        .map(RecordChange)
        .collect()
}

/// The records for each number of changes that is asked of them: nearly always one.
fn by_number<I: Copy>(keys: &[ChangesOf<I>]) -> HashMap<u64, Vec<I>> {
    let mut all: HashMap<u64, Vec<I>> = HashMap::new();
    for key in keys {
        all.entry(key.1).or_default().push(key.0);
    }
    all
}

impl Loader<ChangesOf<OrganisationId>> for Rows {
    type Value = Vec<Change>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ChangesOf<OrganisationId>],
    ) -> Result<HashMap<ChangesOf<OrganisationId>, Self::Value>, LoadError> {
        let mut all = HashMap::new();
        for (first, ids) in by_number(keys) {
            let found =
                history::of_organisations(self.store.reader(), &self.viewer, &ids, first).await?;
            all.extend(
                found
                    .into_iter()
                    .map(|(id, rows)| (ChangesOf(id, first), rows)),
            );
        }
        Ok(all)
    }
}

impl Loader<ChangesOf<ContactId>> for Rows {
    type Value = Vec<Change>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ChangesOf<ContactId>],
    ) -> Result<HashMap<ChangesOf<ContactId>, Self::Value>, LoadError> {
        let (db, now) = (self.store.reader(), self.store.now());
        let mut all = HashMap::new();
        for (first, ids) in by_number(keys) {
            let found = history::of_contacts(db, &self.viewer, now, &ids, first).await?;
            all.extend(
                found
                    .into_iter()
                    .map(|(id, rows)| (ChangesOf(id, first), rows)),
            );
        }
        Ok(all)
    }
}
