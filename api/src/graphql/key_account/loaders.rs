//! Key accounts and how contacts stand to them, fetched for many at once.

use std::collections::HashMap;

use async_graphql::{Context, Result, dataloader::Loader};
use domain::key_account::{self as accounts, Standing};
use entity::{
    contact,
    ids::{ContactId, KeyAccountId, OrganisationId},
    key_account,
};

use super::KeyAccount;
use crate::graphql::{
    contact::Contact,
    rows::{LoadError, Rows, by_id, rows},
};

/// How a contact stands to the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct StandingOf(ContactId);

/// An address that is withheld from the viewer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Withheld(String);

/// The claims that count on an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct AccountsOf(OrganisationId);

/// The contacts of a key account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct HeldBy(KeyAccountId);

/// The key account with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: KeyAccountId) -> Result<Option<KeyAccount>> {
    Ok(rows(ctx)?.load_one(id).await?.map(KeyAccount))
}

/// How a contact stands to the viewer; none when it is no key account contact, or not for them to know.
pub async fn standing(ctx: &Context<'_>, id: ContactId) -> Result<Option<Standing>> {
    let rows = rows(ctx)?;
    if !rows.loader().viewer.is_staff() {
        return Ok(None);
    }
    Ok(rows.load_one(StandingOf(id)).await?)
}

/// Whether a contact has this address whose details are withheld from the viewer.
pub async fn is_withheld(ctx: &Context<'_>, address: &str) -> Result<bool> {
    let found = rows(ctx)?.load_one(Withheld(address.to_owned())).await?;
    Ok(found.unwrap_or_default())
}

/// The claims that count on an organisation.
pub async fn accounts_of(ctx: &Context<'_>, id: OrganisationId) -> Result<Vec<KeyAccount>> {
    let found = rows(ctx)?.load_one(AccountsOf(id)).await?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .map(KeyAccount)
        .collect())
}

pub(super) async fn contacts_of(ctx: &Context<'_>, id: KeyAccountId) -> Result<Vec<Contact>> {
    let found = rows(ctx)?.load_one(HeldBy(id)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Contact).collect())
}

by_id!(KeyAccountId => key_account::Model, found |rows, ids| accounts::find_all(rows.store.reader(), &rows.viewer, ids));

impl Loader<StandingOf> for Rows {
    type Value = Standing;
    type Error = LoadError;

    async fn load(&self, keys: &[StandingOf]) -> Result<HashMap<StandingOf, Standing>, LoadError> {
        let ids: Vec<ContactId> = keys.iter().map(|key| key.0).collect();
        let now = self.store.now();
        let found = accounts::standings(self.store.reader(), &self.viewer, now, &ids).await?;
        Ok(found
            .into_iter()
            .map(|standing| (StandingOf(standing.contact_id), standing))
            .collect())
    }
}

impl Loader<Withheld> for Rows {
    type Value = bool;
    type Error = LoadError;

    async fn load(&self, keys: &[Withheld]) -> Result<HashMap<Withheld, bool>, LoadError> {
        let addresses: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let (db, now) = (self.store.reader(), self.store.now());
        let found = accounts::withheld_addresses(db, &self.viewer, now, &addresses).await?;
        Ok(found
            .into_iter()
            .map(|address| (Withheld(address), true))
            .collect())
    }
}

impl Loader<AccountsOf> for Rows {
    type Value = Vec<key_account::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[AccountsOf],
    ) -> Result<HashMap<AccountsOf, Self::Value>, LoadError> {
        let ids: Vec<OrganisationId> = keys.iter().map(|key| key.0).collect();
        let now = self.store.now();
        let found =
            accounts::of_organisations(self.store.reader(), &self.viewer, now, &ids).await?;
        let mut all: HashMap<AccountsOf, Self::Value> = HashMap::new();
        for row in found {
            all.entry(AccountsOf(row.organisation_id))
                .or_default()
                .push(row);
        }
        Ok(all)
    }
}

impl Loader<HeldBy> for Rows {
    type Value = Vec<contact::Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[HeldBy]) -> Result<HashMap<HeldBy, Self::Value>, LoadError> {
        let ids: Vec<KeyAccountId> = keys.iter().map(|key| key.0).collect();
        let found = accounts::contacts_of(self.store.reader(), &self.viewer, &ids).await?;
        let mut all: HashMap<HeldBy, Self::Value> = HashMap::new();
        for (id, row) in found {
            all.entry(HeldBy(id)).or_default().push(row);
        }
        Ok(all)
    }
}
