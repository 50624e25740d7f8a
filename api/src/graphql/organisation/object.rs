//! An organisation, as those see it who may (policy 3).

use async_graphql::{Context, Enum, Object, Result};
use chrono::{DateTime, Utc};
use domain::organisation as organisations;
use entity::{
    ids::OrganisationId,
    organisation::{
        Column, Model, OrganisationKind as Kind, OrganisationSize as Size,
        OrganisationState as State, RecordSource as Source,
    },
};

use super::{OrganisationLogo, logo, related};
use crate::graphql::{
    communication::{self, OrganisationMail},
    contact::{self, Contact},
    event::Event,
    history::{self, RecordChange},
    id::Id,
    key_account::{self, KeyAccount},
    merge::{self, Merge},
    note::Note,
    profile_field::{self, ProfileFieldValue},
    registration::{self, HeldChange},
    rows::{by_id, rows},
    tag::Tag,
    vacancy::{self, Vacancy, VacancyRule},
};

/// An organisation.
#[derive(Clone, Debug)]
pub struct Organisation(pub Model);

impl From<Model> for Organisation {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The organisation with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: OrganisationId) -> Result<Option<Organisation>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Organisation))
}

by_id!(OrganisationId => Model, visible |rows| organisations::visible(&rows.viewer), Column::Id);

/// An organisation: an employer that the university works with.
#[Object]
impl Organisation {
    /// Its id.
    pub async fn id(&self) -> Id<OrganisationId> {
        Id(self.0.id)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Other names it trades under.
    async fn trading_names(&self) -> &[String] {
        &self.0.trading_names.0
    }

    /// The address of its web site.
    async fn website(&self) -> Option<&str> {
        self.0.website.as_deref()
    }

    /// The domains its people write from.
    async fn email_domains(&self) -> &[String] {
        &self.0.email_domains.0
    }

    /// Its sector.
    async fn sector(&self) -> Option<&str> {
        self.0.sector.as_deref()
    }

    /// Its sub-sector.
    async fn sub_sector(&self) -> Option<&str> {
        self.0.sub_sector.as_deref()
    }

    /// How many people it employs.
    async fn size(&self) -> Option<OrganisationSize> {
        self.0.size.map(Into::into)
    }

    /// What type of organisation it is.
    async fn kind(&self) -> OrganisationKind {
        self.0.kind.into()
    }

    /// The head office that it is a division of.
    async fn parent(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        find(ctx, self.0.parent_id?).await.transpose()
    }

    /// Its divisions that the viewer may see, by name.
    async fn divisions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<Organisation>>> {
        Some(related::divisions(ctx, self.0.id, first).await)
    }

    /// Its number in the register of companies.
    async fn company_number(&self) -> Option<&str> {
        self.0.company_number.as_deref()
    }

    /// Where it is.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// When it was founded, as its source says it.
    async fn founded(&self) -> Option<&str> {
        self.0.founded.as_deref()
    }

    /// Its logo; null when it has none.
    async fn logo(&self, ctx: &Context<'_>) -> Option<Result<OrganisationLogo>> {
        logo::logo_of(ctx, self.0.id).await.transpose()
    }

    /// What it is in the fields that administrators defined, of those that the viewer may see, in the order in which they are
    /// shown. Fields of which nothing is said are left out; `profileFields` has them all.
    async fn profile_fields(&self, ctx: &Context<'_>) -> Option<Result<Vec<ProfileFieldValue>>> {
        Some(profile_field::values_of(ctx, self.0.id).await)
    }

    /// Where it stands in approval.
    async fn state(&self) -> OrganisationState {
        self.0.state.into()
    }

    /// Its contacts whom the viewer may see, by name.
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<Contact>>> {
        Some(related::contacts(ctx, self.0.id, first).await)
    }

    /// The contacts of other organisations who have a post at it as well, and whom the viewer may see, by name.
    async fn further_contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<Contact>>> {
        Some(contact::posts::with_posts_at(ctx, self.0.id, first).await)
    }

    /// How many contacts it has whom the viewer may see.
    async fn contact_count(&self, ctx: &Context<'_>) -> Option<Result<i64>> {
        Some(related::contact_count(ctx, self.0.id).await)
    }

    /// The tags that are on it, by name.
    async fn tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(related::tags(ctx, self.0.id).await)
    }

    /// The events it takes part in that the viewer may see, the latest first.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<Event>>> {
        Some(related::events(ctx, self.0.id, first).await)
    }

    /// Its vacancies that the viewer may see, the latest first.
    async fn vacancies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<Vacancy>>> {
        Some(vacancy::of_organisation(ctx, self.0.id, first).await)
    }

    /// The rules by which its vacancies are published at once.
    async fn vacancy_rules(&self, ctx: &Context<'_>) -> Option<Result<Vec<VacancyRule>>> {
        Some(vacancy::rules_of(ctx, self.0.id).await)
    }

    /// What staff recorded of their work with it, the latest first.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<Note>>> {
        Some(related::notes(ctx, self.0.id, first).await)
    }

    /// The bulk mails that it was sent and that are planned, the latest first: which, by whom, and to how many of its contacts
    /// (policy 2.5).
    async fn mails(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<OrganisationMail>>> {
        Some(communication::mails(ctx, self.0.id, first).await)
    }

    /// Whether it agreed that its contacts are shown to students (policy 3).
    async fn shows_contacts_to_students(&self) -> Option<bool> {
        Some(self.0.shows_contacts_to_students)
    }

    /// Whether it has many touch points and no single owner (policy 2.3).
    async fn multiple_touch_points(&self) -> Option<bool> {
        Some(self.0.multiple_touch_points)
    }

    /// The name of its time zone: bulk mail waits while quiet hours last there (policy 2.5).
    async fn time_zone(&self) -> Option<&str> {
        Some(&self.0.time_zone)
    }

    /// The claims on it that count: one on the whole of it, or several on contacts where it has many touch points
    /// (policy 2.3).
    async fn key_accounts(&self, ctx: &Context<'_>) -> Option<Result<Vec<KeyAccount>>> {
        Some(key_account::accounts_of(ctx, self.0.id).await)
    }

    /// Where the record came from.
    async fn source(&self) -> Option<RecordSource> {
        Some(self.0.source.into())
    }

    /// What it is known by in that source.
    async fn source_key(&self) -> Option<&str> {
        self.0.source_key.as_deref()
    }

    /// Why it stands in its state; null when nothing was said.
    async fn state_reason(&self) -> Option<&str> {
        self.0.state_reason.as_deref()
    }

    /// What was changed of the record, the latest first: who, when, what it was and what it became.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<RecordChange>>> {
        Some(history::of_organisation(ctx, self.0.id, first).await)
    }

    /// What was merged into it, the latest first.
    async fn merges(&self, ctx: &Context<'_>) -> Option<Result<Vec<Merge>>> {
        Some(merge::into_organisation(ctx, self.0.id).await)
    }

    /// What its employer asked to change and waits for an operator; null when nothing does.
    async fn held_change(&self, ctx: &Context<'_>) -> Option<Result<HeldChange>> {
        registration::held_of(ctx, self.0.id).await.transpose()
    }

    /// Raised at every change; `updateOrganisation` asks for it.
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

/// What type of organisation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum OrganisationKind {
    /// It employs people itself.
    DirectEmployer,
    /// It recruits for others.
    Agency,
    /// One person working for themselves.
    SelfEmployed,
    /// A charity or another body without profit.
    NonProfit,
    /// A public body.
    Public,
}

/// How many people an organisation employs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Size")]
pub enum OrganisationSize {
    /// Up to 9.
    Micro,
    /// 10 to 49.
    Small,
    /// 50 to 249.
    Medium,
    /// 250 or more.
    Large,
}

/// Where an organisation stands in approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum OrganisationState {
    /// It waits for an operator.
    Pending,
    /// It is approved.
    Approved,
    /// It was declined.
    Declined,
    /// It is suspended.
    Suspended,
    /// It is kept, and no longer used.
    Archived,
}

/// Where a record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Source")]
pub enum RecordSource {
    /// An operator made it.
    Staff,
    /// The employer registered it.
    SelfRegistered,
    /// It was imported from a file.
    Import,
}
