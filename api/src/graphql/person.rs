//! People as others meet them.

use std::collections::HashMap;

use async_graphql::{Context, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use entity::{ids::UserId, user};
use uuid::Uuid;

use super::{
    disclosure::disclose,
    id::Id,
    key_account, profile,
    rows::{LoadError, Rows, rows},
    university::{self, Faculty, Programme},
    viewer::UserKind,
};
use crate::http::photo;

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Person(user::Model);

impl From<user::Model> for Person {
    fn from(row: user::Model) -> Self {
        Self(row)
    }
}

/// Somebody with an account, as others meet them: whoever has a booking, whoever organises an event.
#[Object]
impl Person {
    /// The id of the account.
    async fn id(&self) -> Id<UserId> {
        Id(self.0.id)
    }

    /// The name as shown.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What kind of person it is.
    async fn kind(&self) -> UserKind {
        self.0.kind.into()
    }

    /// The address they sign in with. An employer's is withheld as that of their contact is.
    async fn email(&self, ctx: &Context<'_>) -> Option<Result<&str>> {
        // The account of a contact and the contact are one person.
        let whose = self.0.contact_id.map_or(self.0.id.into(), Uuid::from);
        let email = email(ctx, &self.0).await;
        email
            .map(|email| disclose(ctx, whose, "Person.email", email))
            .transpose()
    }

    /// The faculty of a student or of a member of staff.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.0.faculty_id?)
            .await
            .transpose()
    }

    /// The programme a student is on.
    async fn programme(&self, ctx: &Context<'_>) -> Option<Result<Programme>> {
        university::programme(ctx, self.0.programme_id?)
            .await
            .transpose()
    }

    /// The post of a member of staff.
    async fn post(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        post(ctx, self.0.id).await.transpose()
    }

    /// The address of their photo.
    async fn photo_url(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        photo_url(ctx, self.0.id).await.transpose()
    }

    /// What they are interested in.
    async fn interests(&self, ctx: &Context<'_>) -> Option<Result<Vec<String>>> {
        Some(interests(ctx, self.0.id).await)
    }

    /// When booking was blocked after missed events (policy 2.4); null when it is not.
    async fn booking_blocked_at(&self) -> Option<DateTime<Utc>> {
        self.0.booking_blocked_at
    }
}

async fn email<'a>(ctx: &Context<'_>, row: &'a user::Model) -> Result<Option<&'a str>> {
    let is_withheld = match row.contact_id {
        Some(id) => key_account::standing(ctx, id)
            .await?
            .is_some_and(|standing| standing.must_liaise),
        // Whoever asks to join an organisation may be a contact of it already.
        None if row.kind == user::UserKind::Employer => {
            key_account::is_withheld(ctx, &row.email).await?
        }
        None => false,
    };
    Ok((!is_withheld).then_some(row.email.as_str()))
}

async fn post(ctx: &Context<'_>, id: UserId) -> Result<Option<String>> {
    Ok(profile::shown(ctx, id).await?.and_then(|shown| shown.post))
}

async fn photo_url(ctx: &Context<'_>, id: UserId) -> Result<Option<String>> {
    let photo = profile::shown(ctx, id).await?.and_then(|shown| shown.photo);
    Ok(photo.map(|photo| photo::address(&photo.token)))
}

async fn interests(ctx: &Context<'_>, id: UserId) -> Result<Vec<String>> {
    let shown = profile::shown(ctx, id).await?;
    Ok(shown.map(|shown| shown.interests).unwrap_or_default())
}

/// The person with this id, of a row that the viewer may see.
pub async fn person(ctx: &Context<'_>, id: UserId) -> Result<Option<Person>> {
    Ok(rows(ctx)?.load_one(id).await?)
}

impl Loader<UserId> for Rows {
    type Value = Person;
    type Error = LoadError;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, Person>, LoadError> {
        let found = domain::person::find_all(self.store.reader(), ids).await?;
        Ok(found.into_iter().map(|row| (row.id, Person(row))).collect())
    }
}
