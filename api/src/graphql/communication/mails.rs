//! What organisations were sent, and what is planned.

use std::collections::HashMap;

use async_graphql::{Context, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::communication::{self, Mail};
use entity::ids::OrganisationId;

use crate::graphql::{
    campaign::{self, Campaign},
    organisation::related::few,
    person::{self, Person},
    rows::{LoadError, Rows, rows},
};

/// A bulk e-mail to the contacts of an organisation.
#[derive(Clone, Debug)]
pub struct OrganisationMail(Mail);

/// A bulk e-mail to the contacts of an organisation.
#[Object]
impl OrganisationMail {
    /// What its operators call it.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// The campaign; null for those who may not send bulk e-mail.
    async fn campaign(&self, ctx: &Context<'_>) -> Option<Result<Campaign>> {
        campaign::find(ctx, self.0.campaign_id).await.transpose()
    }

    /// In whose name it goes out.
    async fn sent_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.sender).await.transpose()
    }

    /// When the last of these mails went out; when they are planned, when the first may.
    async fn at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.at)
    }

    /// Whether they are planned.
    async fn planned(&self) -> Option<bool> {
        Some(self.0.planned)
    }

    /// How many of its contacts get it.
    async fn mails(&self) -> Option<u64> {
        Some(self.0.mails)
    }
}

/// The first mails of an organisation, the latest first and those that are planned before them.
pub async fn mails(
    ctx: &Context<'_>,
    id: OrganisationId,
    first: i32,
) -> Result<Vec<OrganisationMail>> {
    let most = usize::try_from(few(first)?).unwrap_or(usize::MAX);
    let found = rows(ctx)?.load_one(MailsOf(id)).await?.unwrap_or_default();
    Ok(found.into_iter().take(most).map(OrganisationMail).collect())
}

/// The bulk mails to an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct MailsOf(OrganisationId);

impl Loader<MailsOf> for Rows {
    type Value = Vec<Mail>;
    type Error = LoadError;

    async fn load(&self, of: &[MailsOf]) -> Result<HashMap<MailsOf, Vec<Mail>>, LoadError> {
        let ids: Vec<OrganisationId> = of.iter().map(|of| of.0).collect();
        let (store, viewer) = (&self.store, &self.viewer);
        let mails = communication::mails_of(store.reader(), viewer, &ids, store.now()).await?;
        Ok(mails
            .into_iter()
            .map(|(id, mails)| (MailsOf(id), mails))
            .collect())
    }
}
