//! What belongs to registrations, fetched for many of them at once.

use std::collections::HashMap;

use async_graphql::{Result, dataloader::Loader};
use domain::registration::{self as registrations, Signal};
use entity::{
    held_change,
    ids::{OrganisationId, RegistrationId},
};

use crate::graphql::rows::{LoadError, Rows};

/// The signals of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SignalsOf(pub RegistrationId);

/// What waits for an operator, of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct HeldOf(pub OrganisationId);

impl Loader<SignalsOf> for Rows {
    type Value = Vec<Signal>;
    type Error = LoadError;

    async fn load(&self, keys: &[SignalsOf]) -> Result<HashMap<SignalsOf, Self::Value>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = registrations::signals(self.store.reader(), &self.viewer, &ids).await?;
        Ok(found
            .into_iter()
            .map(|(id, signals)| (SignalsOf(id), signals))
            .collect())
    }
}

impl Loader<HeldOf> for Rows {
    type Value = held_change::Model;
    type Error = LoadError;

    async fn load(&self, keys: &[HeldOf]) -> Result<HashMap<HeldOf, Self::Value>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = registrations::held_of(self.store.reader(), &self.viewer, &ids).await?;
        Ok(found
            .into_iter()
            .map(|row| (HeldOf(row.organisation_id), row))
            .collect())
    }
}
