//! What belongs to organisations, fetched for many of them at once.

use std::collections::{BTreeMap, HashMap};

use async_graphql::{Context, Result, dataloader::Loader};
use entity::{
    contact,
    ids::{EventId, OrganisationId},
    note, organisation, tag,
};

use super::Organisation;
use crate::graphql::{
    connection::MOST_ROWS,
    contact::Contact,
    errors::{Code, refusal},
    event::Event,
    note::Note,
    rows::{LoadError, Rows, rows},
    tag::Tag,
};

/// The first contacts of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ContactsOf(OrganisationId, u64);

/// The number of contacts of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ContactCountOf(OrganisationId);

/// The tags on an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct TagsOf(OrganisationId);

/// The last events that an organisation takes part in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct EventsOf(OrganisationId, u64);

/// The first divisions of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct DivisionsOf(OrganisationId, u64);

/// The last notes about an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct NotesOf(OrganisationId, u64);

pub(super) async fn contacts(
    ctx: &Context<'_>,
    id: OrganisationId,
    first: i32,
) -> Result<Vec<Contact>> {
    let found = rows(ctx)?.load_one(ContactsOf(id, few(first)?)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Contact).collect())
}

pub(super) async fn contact_count(ctx: &Context<'_>, id: OrganisationId) -> Result<i64> {
    let found = rows(ctx)?.load_one(ContactCountOf(id)).await?;
    Ok(found.unwrap_or_default())
}

pub(super) async fn tags(ctx: &Context<'_>, id: OrganisationId) -> Result<Vec<Tag>> {
    let found = rows(ctx)?.load_one(TagsOf(id)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Tag).collect())
}

pub(super) async fn events(
    ctx: &Context<'_>,
    id: OrganisationId,
    first: i32,
) -> Result<Vec<Event>> {
    let rows = rows(ctx)?;
    let ids = rows.load_one(EventsOf(id, few(first)?)).await?;
    let ids = ids.unwrap_or_default();
    let mut found = rows.load_many(ids.iter().copied()).await?;
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

pub(in crate::graphql) async fn notes(
    ctx: &Context<'_>,
    id: OrganisationId,
    first: i32,
) -> Result<Vec<Note>> {
    let found = rows(ctx)?.load_one(NotesOf(id, few(first)?)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Note).collect())
}

pub(super) async fn divisions(
    ctx: &Context<'_>,
    id: OrganisationId,
    first: i32,
) -> Result<Vec<Organisation>> {
    let found = rows(ctx)?.load_one(DivisionsOf(id, few(first)?)).await?;
    let found = found.unwrap_or_default();
    Ok(found.into_iter().map(Organisation).collect())
}

/// The number of rows asked of a list within a row, if a list may have so many.
pub(in crate::graphql) fn few(first: i32) -> Result<u64> {
    u64::try_from(first)
        .ok()
        .filter(|first| *first <= MOST_ROWS)
        .ok_or_else(|| {
            refusal(
                Code::BadUserInput,
                format!("`first` is from 0 to {MOST_ROWS}; {first} was given."),
            )
        })
}

/// The organisations for each number of rows that is asked of them: nearly always one.
fn by_number<K>(
    keys: &[K],
    parts: impl Fn(&K) -> (OrganisationId, u64),
) -> BTreeMap<u64, Vec<OrganisationId>> {
    let mut all: BTreeMap<u64, Vec<OrganisationId>> = BTreeMap::new();
    for (id, first) in keys.iter().map(parts) {
        all.entry(first).or_default().push(id);
    }
    all
}

impl Loader<ContactsOf> for Rows {
    type Value = Vec<contact::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ContactsOf],
    ) -> Result<HashMap<ContactsOf, Self::Value>, LoadError> {
        let mut all: HashMap<ContactsOf, Self::Value> = HashMap::new();
        for (first, ids) in by_number(keys, |key| (key.0, key.1)) {
            let found =
                domain::contact::of_organisations(self.store.reader(), &self.viewer, &ids, first)
                    .await?;
            for row in found {
                all.entry(ContactsOf(row.organisation_id, first))
                    .or_default()
                    .push(row);
            }
        }
        Ok(all)
    }
}

impl Loader<ContactCountOf> for Rows {
    type Value = i64;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ContactCountOf],
    ) -> Result<HashMap<ContactCountOf, i64>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let counts =
            domain::contact::counts_of_organisations(self.store.reader(), &self.viewer, &ids)
                .await?;
        Ok(counts
            .into_iter()
            .map(|(id, count)| (ContactCountOf(id), count))
            .collect())
    }
}

impl Loader<TagsOf> for Rows {
    type Value = Vec<tag::Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[TagsOf]) -> Result<HashMap<TagsOf, Self::Value>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = domain::tag::of_organisations(self.store.reader(), &self.viewer, &ids).await?;
        let mut all: HashMap<TagsOf, Self::Value> = HashMap::new();
        for (id, row) in found {
            all.entry(TagsOf(id)).or_default().push(row);
        }
        Ok(all)
    }
}

impl Loader<EventsOf> for Rows {
    type Value = Vec<EventId>;
    type Error = LoadError;

    async fn load(&self, keys: &[EventsOf]) -> Result<HashMap<EventsOf, Self::Value>, LoadError> {
        let mut all: HashMap<EventsOf, Self::Value> = HashMap::new();
        for (first, ids) in by_number(keys, |key| (key.0, key.1)) {
            let found =
                domain::organisation::events_of(self.store.reader(), &self.viewer, &ids, first)
                    .await?;
            for (organisation_id, event_id) in found {
                all.entry(EventsOf(organisation_id, first))
                    .or_default()
                    .push(event_id);
            }
        }
        Ok(all)
    }
}

impl Loader<DivisionsOf> for Rows {
    type Value = Vec<organisation::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[DivisionsOf],
    ) -> Result<HashMap<DivisionsOf, Self::Value>, LoadError> {
        let mut all: HashMap<DivisionsOf, Self::Value> = HashMap::new();
        for (first, ids) in by_number(keys, |key| (key.0, key.1)) {
            let found =
                domain::organisation::divisions_of(self.store.reader(), &self.viewer, &ids, first)
                    .await?;
            for row in found {
                if let Some(head_office) = row.parent_id {
                    all.entry(DivisionsOf(head_office, first))
                        .or_default()
                        .push(row);
                }
            }
        }
        Ok(all)
    }
}

impl Loader<NotesOf> for Rows {
    type Value = Vec<note::Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[NotesOf]) -> Result<HashMap<NotesOf, Self::Value>, LoadError> {
        let mut all: HashMap<NotesOf, Self::Value> = HashMap::new();
        for (first, ids) in by_number(keys, |key| (key.0, key.1)) {
            let found =
                domain::note::of_organisations(self.store.reader(), &self.viewer, &ids, first)
                    .await?;
            for row in found {
                all.entry(NotesOf(row.organisation_id, first))
                    .or_default()
                    .push(row);
            }
        }
        Ok(all)
    }
}
