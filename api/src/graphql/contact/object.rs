//! A contact, as those see it who may (policy 3).

use async_graphql::{Context, Object, Result};
use chrono::{DateTime, Utc};
use domain::contact as contacts;
use entity::{
    contact::{Column, Model},
    ids::ContactId,
};

use super::{
    ContactState, SubscriberType,
    posts::{self, ContactPost},
};
use crate::graphql::{
    disclosure::disclose,
    history::{self, RecordChange},
    id::Id,
    key_account::{self, KeyAccount},
    merge::{self, Merge},
    note::Note,
    organisation::{self, Organisation},
    rows::{by_id, rows},
};

/// A contact.
#[derive(Clone, Debug)]
pub struct Contact(pub Model);

impl From<Model> for Contact {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The contact with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: ContactId) -> Result<Option<Contact>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Contact))
}

by_id!(ContactId => Model, visible |rows| contacts::visible(&rows.viewer), Column::Id);

/// A contact: a person at an organisation. Students see those who agreed to be shown, at organisations that agreed.
#[Object]
impl Contact {
    /// Its id.
    pub async fn id(&self) -> Id<ContactId> {
        Id(self.0.id)
    }

    /// Their name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Their name as the viewer reads it: with a ` *` behind it for staff when it is a key account contact (policy 2.3).
    async fn display_name(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        Some(display_name(ctx, &self.0).await)
    }

    /// Their job title.
    async fn job_title(&self) -> Option<&str> {
        self.0.job_title.as_deref()
    }

    /// Where they work.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        organisation::find(ctx, self.0.organisation_id)
            .await
            .transpose()
    }

    /// Where else they work, as far as the viewer may know: students where that organisation agreed to show its contacts.
    async fn posts(&self, ctx: &Context<'_>) -> Option<Result<Vec<ContactPost>>> {
        Some(posts::posts_of(ctx, self.0.id).await)
    }

    /// Their e-mail address. Of a key account contact it is null for operators who must liaise first: `detailsWithheld` says
    /// so, and `contactWithGuidance` shows it.
    async fn email(&self, ctx: &Context<'_>) -> Option<Result<&str>> {
        let email = unless_withheld(ctx, &self.0, self.0.email.as_deref()).await;
        email
            .map(|email| disclose(ctx, self.0.id, "Contact.email", email))
            .transpose()
    }

    /// Their telephone number, under the same rule.
    async fn telephone(&self, ctx: &Context<'_>) -> Option<Result<&str>> {
        let telephone = unless_withheld(ctx, &self.0, self.0.telephone.as_deref()).await;
        telephone
            .map(|telephone| disclose(ctx, self.0.id, "Contact.telephone", telephone))
            .transpose()
    }

    /// Why e-mail address and telephone number are not shown to the viewer, and what to do; null when they are not withheld.
    async fn details_withheld(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        details_withheld(ctx, &self.0).await.transpose()
    }

    /// Whether others liaise with the Key Account Operator before they contact them (policy 2.3).
    async fn is_key_account_contact(&self, ctx: &Context<'_>) -> Option<Result<bool>> {
        let standing = key_account::standing(ctx, self.0.id).await;
        Some(standing.map(|standing| standing.is_some()))
    }

    /// The key account that they are a contact of; null when they are none.
    async fn key_account(&self, ctx: &Context<'_>) -> Option<Result<KeyAccount>> {
        account_of(ctx, &self.0).await.transpose()
    }

    /// How they are to be approached; null when they are no key account contact.
    async fn guidance(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        let standing = key_account::standing(ctx, self.0.id).await;
        standing
            .map(|standing| standing.map(|standing| standing.guidance))
            .transpose()
    }

    /// Whether they are still there.
    async fn state(&self) -> Option<ContactState> {
        Some(self.0.state.into())
    }

    /// What they have to do with the university, by which mail suits them.
    async fn subscriber_type(&self) -> Option<SubscriberType> {
        Some(self.0.subscriber_type.into())
    }

    /// Whether they agreed to be shown to students (policy 3).
    async fn visible_to_students(&self) -> Option<bool> {
        Some(self.0.visible_to_students)
    }

    /// When they opted out of bulk e-mail; null when they did not.
    async fn bulk_opted_out_at(&self) -> Option<DateTime<Utc>> {
        self.0.bulk_opted_out_at
    }

    /// Whether they must not be sent any mail.
    async fn do_not_email(&self) -> Option<bool> {
        Some(self.0.do_not_email)
    }

    /// Since when mail is held back after bounces; null when it isn't.
    async fn on_hold_at(&self) -> Option<DateTime<Utc>> {
        self.0.on_hold_at
    }

    /// What staff recorded of their work with the organisation, the latest first: it shows on every contact in it.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<Note>>> {
        Some(organisation::related::notes(ctx, self.0.organisation_id, first).await)
    }

    /// What was changed of the record, the latest first: who, when, what it was and what it became. Details for which the
    /// viewer must liaise first are left out.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<RecordChange>>> {
        Some(history::of_contact(ctx, self.0.id, first).await)
    }

    /// What was merged into it, the latest first.
    async fn merges(&self, ctx: &Context<'_>) -> Option<Result<Vec<Merge>>> {
        Some(merge::into_contact(ctx, self.0.id).await)
    }

    /// Raised at every change; `updateContact` asks for it.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }

    /// When the record was made.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }

    /// When the record last changed.
    async fn updated_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.updated_at)
    }
}

async fn display_name(ctx: &Context<'_>, row: &Model) -> Result<String> {
    let standing = key_account::standing(ctx, row.id).await?;
    Ok(if standing.is_some() {
        contacts::marked(&row.name)
    } else {
        row.name.clone()
    })
}

/// A detail of a contact, unless the viewer must liaise first. A contact without it is looked up all the same: what isn't
/// shown doesn't show by its absence either.
async fn unless_withheld<'a>(
    ctx: &Context<'_>,
    row: &Model,
    detail: Option<&'a str>,
) -> Result<Option<&'a str>> {
    let standing = key_account::standing(ctx, row.id).await?;
    Ok(detail.filter(|_| standing.is_none_or(|standing| !standing.must_liaise)))
}

async fn details_withheld(ctx: &Context<'_>, row: &Model) -> Result<Option<String>> {
    let standing = key_account::standing(ctx, row.id).await?;
    Ok(standing
        .filter(|standing| standing.must_liaise)
        .map(|standing| {
            format!(
                "This is a key account contact. Liaise first with {}, the Key Account Operator: `requestLiaison` asks them. \
                 `contactWithGuidance` shows the details together with the guidance, and records that it did.",
                standing.operator_name
            )
        }))
}

async fn account_of(ctx: &Context<'_>, row: &Model) -> Result<Option<KeyAccount>> {
    match key_account::standing(ctx, row.id).await? {
        Some(standing) => key_account::find(ctx, standing.key_account_id).await,
        None => Ok(None),
    }
}
