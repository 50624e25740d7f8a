//! Key accounts as clients see them.

use async_graphql::{Context, Enum, Object, Result};
use chrono::{DateTime, Utc};
use domain::key_account::WithGuidance;
use entity::{
    ids::KeyAccountId,
    key_account::{KeyAccountScope as Scope, KeyAccountState as State, Model},
};

use super::loaders;
use crate::graphql::{
    contact::Contact,
    disclosure::disclose,
    id::Id,
    organisation::{self, Organisation},
    person::{self, Person},
};

/// A key account.
#[derive(Clone, Debug)]
pub struct KeyAccount(pub Model);

impl From<Model> for KeyAccount {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A key account: an operator's claim on an organisation (policy 2.3).
#[Object]
impl KeyAccount {
    /// Its id.
    pub async fn id(&self) -> Id<KeyAccountId> {
        Id(self.0.id)
    }

    /// The organisation that is claimed.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        organisation::find(ctx, self.0.organisation_id)
            .await
            .transpose()
    }

    /// The Key Account Operator, with whom others liaise first.
    async fn operator(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.operator_id).await.transpose()
    }

    /// What is claimed.
    async fn scope(&self) -> Option<KeyAccountScope> {
        Some(self.0.scope.into())
    }

    /// Whether the claim stands.
    async fn state(&self) -> Option<KeyAccountState> {
        Some(self.0.state.into())
    }

    /// The contacts whom others don't contact before they have liaised, by name.
    async fn contacts(&self, ctx: &Context<'_>) -> Option<Result<Vec<Contact>>> {
        Some(loaders::contacts_of(ctx, self.0.id).await)
    }

    /// When it was claimed.
    async fn claimed_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.claimed_at)
    }

    /// Since when this operator has it.
    async fn held_since(&self) -> Option<DateTime<Utc>> {
        Some(self.0.held_since)
    }

    /// When it ended; null while it stands.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
}

/// What a claim is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Scope")]
pub enum KeyAccountScope {
    /// The whole organisation: nobody else claims it.
    Whole,
    /// The named contacts of an organisation that has many touch points.
    Contacts,
}

/// Whether a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum KeyAccountState {
    /// It stands, as long as its operator's access does.
    Live,
    /// Its operator gave it up, or it went into another of whoever took it over.
    Released,
    /// Its operator's access ended.
    Lapsed,
}

/// A contact's details, together with the guidance on contacting them.
#[derive(Clone, Debug)]
pub struct ContactWithGuidance(pub WithGuidance);

/// A contact's details, together with the guidance on contacting them (policy 2.3).
#[Object]
impl ContactWithGuidance {
    /// The contact.
    async fn contact(&self) -> Option<Contact> {
        Some(Contact(self.0.contact.clone()))
    }

    /// Their e-mail address.
    async fn email(&self, ctx: &Context<'_>) -> Option<&str> {
        let contact = &self.0.contact;
        let field = "ContactWithGuidance.email";
        disclose(ctx, contact.id, field, contact.email.as_deref())
    }

    /// Their telephone number.
    async fn telephone(&self, ctx: &Context<'_>) -> Option<&str> {
        let contact = &self.0.contact;
        let field = "ContactWithGuidance.telephone";
        disclose(ctx, contact.id, field, contact.telephone.as_deref())
    }

    /// How they are to be approached; null when they are no key account contact.
    async fn guidance(&self) -> Option<&str> {
        Some(&self.0.standing.as_ref()?.guidance)
    }

    /// The Key Account Operator; null when they are no key account contact.
    async fn key_account_operator(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        let id = self.0.standing.as_ref()?.operator_id;
        person::person(ctx, id).await.transpose()
    }

    /// Whether the viewer must liaise with the Key Account Operator before they contact them.
    async fn must_liaise(&self) -> Option<bool> {
        Some(
            self.0
                .standing
                .as_ref()
                .is_some_and(|standing| standing.must_liaise),
        )
    }
}
